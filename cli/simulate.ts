import * as z from "zod/mini";
import { EXIT, Failure } from "./failure.ts";
import { notUnderstood, requestJson } from "./request.ts";
import { type Environment, localRun } from "./server.ts";
import { printable, type Terminal } from "./terminal.ts";
import { amount } from "./wording.ts";

/** Makes Twilio's figures of all accounts wrong at once; the others happen to one. */
const ON_ALL = "billing-glitch";
/** What the simulator can do; local/twilio/attacks.ts says what each is. */
export const ATTACKS = ["sms-pumping", "toll-fraud", "sip-probing", "runaway-loop", ON_ALL] as const;

const Account = z.object({
  accountSid: z.string(),
  friendlyName: z.string(),
  status: z.string(),
  currency: z.string(),
  triggers: z.number(),
});
type Account = z.infer<typeof Account>;

const Overview = z.object({ subaccounts: z.array(Account) });
const Report = z.object({ pricePerHour: z.number() });
const GlitchReport = z.object({ accounts: z.number(), factor: z.number(), atLeast: z.number() });

/** `simulate`: starts an attack on a subaccount of the local run's simulated Twilio; never on a real one. */
export async function simulate(
  environment: Environment,
  attack: string,
  accountSid: string | undefined,
  terminal: Terminal,
): Promise<void> {
  if (attack !== ON_ALL) return attackOne(await findSimulator(environment), attack, accountSid, terminal);
  if (accountSid !== undefined) throw takesNoAccount(accountSid);
  return glitchAll(await findSimulator(environment), terminal);
}

async function attackOne(
  simulator: string,
  attack: string,
  accountSid: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const account = pickAccount(await listAccounts(simulator), accountSid);
  const { pricePerHour } = await startAttack(simulator, attack, account);
  terminal.print(`${attack} now runs on ${printable(account.friendlyName)} (${printable(account.accountSid)}).`);
  terminal.print(costOf(pricePerHour, account));
  terminal.tell(whatNext(attack, account));
}

function costOf(pricePerHour: number, account: Account): string {
  if (pricePerHour === 0) return "It costs nothing: Twilio rejects every attempt, and reports each in its debugger.";
  return `Unhindered it costs ${amount(String(pricePerHour))} ${currencyOf(account)} an hour.`;
}

async function glitchAll(simulator: string, terminal: Terminal): Promise<void> {
  const glitch = await control(GlitchReport, simulator, {
    method: "POST",
    path: "/simulator/billing-glitch",
    json: {},
  });
  const accounts = glitch.accounts === 1 ? "1 active subaccount" : `${glitch.accounts} active subaccounts`;
  terminal.print(`Twilio's figures of ${accounts} are wrong now, and nobody spent any of it.`);
  terminal.print(`Today's usage of each is ${glitch.factor} times as much, and at least ${glitch.atLeast}.`);
  terminal.tell(NEXT);
}

function takesNoAccount(accountSid: string): Failure {
  return new Failure(EXIT.usage, "account-not-taken", `${ON_ALL} happens to every subaccount at once.`, {
    expected: "no --account",
    got: accountSid,
    fix: "leave --account out",
  });
}

async function findSimulator(environment: Environment): Promise<string> {
  const { simulatorUrl } = await localRun(environment);
  if (simulatorUrl !== null) return simulatorUrl;
  throw new Failure(EXIT.usage, "no-simulator", "The local run talks to a Twilio that is not simulated.", {
    expected: "a run with the Twilio simulator",
    fix: "start `npm start` without TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_API_URL",
  });
}

async function listAccounts(simulator: string): Promise<Account[]> {
  return (await control(Overview, simulator, { method: "GET", path: "/simulator" })).subaccounts;
}

function pickAccount(accounts: readonly Account[], wanted: string | undefined): Account {
  const picked =
    wanted === undefined
      ? accounts.find(({ status }) => status === "active")
      : accounts.find(({ accountSid }) => accountSid === wanted);
  if (picked !== undefined) return picked;
  const known = accounts.map(({ accountSid, status }) => `${accountSid} (${status})`).join(", ");
  throw new Failure(EXIT.notFound, "account-not-found", "There is no such subaccount to attack.", {
    expected: wanted === undefined ? "an active subaccount" : "the SID of a simulated subaccount",
    got: wanted ?? "none that is active",
    fix: known === "" ? "restart `npm start`" : `choose one with --account: ${known}`,
  });
}

async function startAttack(simulator: string, kind: string, { accountSid }: Account) {
  const path = `/simulator/accounts/${encodeURIComponent(accountSid)}/attack`;
  return control(Report, simulator, { method: "POST", path, json: { kind } });
}

interface ControlRequest {
  method: "GET" | "POST";
  path: string;
  json?: unknown;
}

async function control<T extends z.core.$ZodType>(schema: T, baseUrl: string, request: ControlRequest) {
  const hint = "is `npm start` running? Start it in another shell";
  const result = z.safeParse(schema, await requestJson({ baseUrl, hint, ...request }));
  if (result.success) return result.data;
  throw notUnderstood(baseUrl, "other JSON than the simulator's");
}

function currencyOf({ currency }: Account): string {
  return printable(currency.toUpperCase());
}

const NEXT = "See what happens: npm run -s tollbreaker -- incidents list";

function whatNext(attack: string, { status, triggers }: Account): string {
  // What a stranger does to an account needs neither its status nor a trigger.
  if (attack === "sip-probing") return NEXT;
  if (status !== "active") return `The account is ${printable(status)}, so Twilio refuses all of it.\n${NEXT}`;
  if (triggers === 0) return `The account has no usage trigger, so no spend will trip.\n${NEXT}`;
  return NEXT;
}
