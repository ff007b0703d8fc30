import * as z from "zod/mini";
import { EXIT, Failure } from "./failure.ts";
import { notUnderstood, requestJson } from "./request.ts";
import { type Environment, localRun } from "./server.ts";
import { printable, type Terminal } from "./terminal.ts";
import { amount } from "./wording.ts";

/** The attacks the simulator knows; local/twilio/attacks.ts says what each does. */
export const ATTACKS = ["sms-pumping", "toll-fraud"] as const;

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

/** `simulate`: starts an attack on a subaccount of the local run's simulated Twilio; never on a real one. */
export async function simulate(
  environment: Environment,
  attack: string,
  accountSid: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const simulator = await findSimulator(environment);
  const account = pickAccount(await listAccounts(simulator), accountSid);
  const { pricePerHour } = await startAttack(simulator, attack, account);
  terminal.print(`${attack} now runs on ${printable(account.friendlyName)} (${printable(account.accountSid)}).`);
  terminal.print(`Unhindered it costs ${amount(String(pricePerHour))} ${currencyOf(account)} an hour.`);
  terminal.tell(whatNext(account));
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

function whatNext({ status, triggers }: Account): string {
  const next = "See what happens: npm run -s tollbreaker -- incidents list";
  if (status !== "active") return `The account is ${printable(status)}, so Twilio refuses all of it.\n${next}`;
  if (triggers === 0) return `The account has no usage trigger, so nothing will trip.\n${next}`;
  return next;
}
