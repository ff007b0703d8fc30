import { IncidentListing, type IncidentView } from "../cli/incident-view.ts";
import type { System } from "./system.ts";
import type { AttackOrder } from "./twilio/attacks.ts";
import type { TwilioSimulator } from "./twilio/simulator.ts";
import type { AccountSummary } from "./twilio/summary.ts";

export interface Story {
  system: System;
  attack: AttackOrder["kind"];
  /** Simulated seconds in a real one. */
  timeFactor: number;
  /** Fills with what Slack was told. */
  slack: readonly string[][];
  say: (line?: string) => void;
}

const PATIENCE_MS = 20_000;

type Narrator = (line: string) => void;

interface Spending {
  atDetection: number;
  atSuspension: number;
  /** What an hour of the attack costs unhindered. */
  perHour: number;
}

/**
 * Runs the attack and tells it line by line.
 * @returns the id of the incident.
 * @throws Error when the story does not end as it should: the attacked account contained, all others untouched.
 */
export async function story({ system, attack, timeFactor, slack, say }: Story): Promise<string> {
  const { simulator } = system;
  if (simulator === undefined) throw new Error("the demo needs the simulated Twilio");
  const victim = victimOf(simulator);
  const others = simulator.subaccounts().slice(1);

  say(
    `An attack (${attack}) on one of ${others.length + 1} subaccounts, ${timeFactor} times faster than in real life:`,
  );
  say(`Twilio evaluates usage triggers about once a minute, every ${60 / timeFactor} seconds here.`);
  say("Each account may spend $100 a day.");
  say();
  const tell = narrator(say);
  const { pricePerHour } = attackBegins(simulator, victim, { attack, timeFactor, tell });
  const atDetection = await twilioFires(simulator, victim, tell);
  const atSuspension = await accountIsSuspended(simulator, victim, tell);
  const incident = await incidentIsRecorded(system);
  tell(`Calls ended: ${incident.containment?.callsEnded}. A suspension alone would have let them go on.`);
  const alert = await until("Slack hears of it", () => slack[0]);
  tell("Slack is told:");
  for (const line of alert) say(`            | ${line}`);
  await attackerGoesOn(simulator, victim, tell);

  say();
  sayMoney(say, { atDetection, atSuspension, perHour: pricePerHour }, incident);
  say();
  sayOthers(say, simulator, others);
  say();
  return incident.id;
}

function narrator(say: Narrator): Narrator {
  const begun = Date.now();
  return (line) => say(`  ${`+${((Date.now() - begun) / 1000).toFixed(1)}`.padStart(5)} s  ${line}`);
}

interface Opening {
  attack: AttackOrder["kind"];
  timeFactor: number;
  tell: Narrator;
}

function attackBegins(simulator: TwilioSimulator, victim: AccountSummary, { attack, timeFactor, tell }: Opening) {
  // Calls of its own that are under way: suspending an account does not end them.
  simulator.addCalls(victim.accountSid, { calls: 3 });
  tell(`${victim.friendlyName} (${victim.accountSid}): ${describe(attack)}`);
  return simulator.startAttack(victim.accountSid, { kind: attack, timeFactor });
}

async function twilioFires(simulator: TwilioSimulator, victim: AccountSummary, tell: Narrator): Promise<number> {
  const firing = await until("Twilio's usage trigger fires", () => simulator.deliveries()[0]);
  if (firing.accountSid !== victim.accountSid) throw new Error("Another account's trigger fired first.");
  const { outcome } = firing;
  if (outcome.kind !== "answered" || outcome.status !== 204) throw new Error("The webhook was not accepted.");
  const spent = Number(firing.form["CurrentValue"]);
  tell(`Twilio notices: ${dollars(spent)} spent. Its usage trigger calls our webhook.`);
  tell("Webhook accepted: signed with this subaccount's own auth token, stored in the inbox.");
  return spent;
}

async function accountIsSuspended(simulator: TwilioSimulator, victim: AccountSummary, tell: Narrator): Promise<number> {
  const now = () => simulator.account(victim.accountSid);
  await until("the account is suspended", () => now().status === "suspended" || undefined);
  const { spentToday } = now();
  tell(`Suspended, and read back from Twilio. Spent by then: ${dollars(spentToday)}.`);
  return spentToday;
}

async function attackerGoesOn(simulator: TwilioSimulator, victim: AccountSummary, tell: Narrator): Promise<void> {
  const before = simulator.account(victim.accountSid);
  await pause(2000);
  const after = simulator.account(victim.accountSid);
  simulator.stopAttack(victim.accountSid);
  const refused = after.refused.messages + after.refused.calls;
  tell(
    `The attacker goes on: ${refused.toLocaleString("en-US")} attempts refused, ${dollars(after.spentToday - before.spentToday)} spent on them.`,
  );
}

function sayMoney(say: Narrator, { atDetection, atSuspension, perHour }: Spending, { lags }: IncidentView): void {
  const row = (what: string, amount: number, note = "") =>
    say(`  ${what.padEnd(30)} ${dollars(amount).padStart(12)}   ${note}`.trimEnd());
  say("Money");
  row("spent when Twilio noticed", atDetection, "Twilio's part: its usage data and its triggers lag");
  row(
    "spent when suspended",
    atSuspension,
    `our part: ${lags.receivedToSuspended} ms from the webhook to the suspension`,
  );
  row("one hour more at that rate", perHour, "not spent");
}

function sayOthers(say: Narrator, simulator: TwilioSimulator, before: readonly AccountSummary[]): void {
  say("The others");
  for (const { accountSid, friendlyName, status } of before) {
    const now = simulator.account(accountSid);
    say(`  ${friendlyName.padEnd(30)} ${dollars(now.spentToday).padStart(12)}   ${now.status}`);
    if (now.status !== status) throw new Error(`${friendlyName} was touched.`);
  }
}

function victimOf(simulator: TwilioSimulator) {
  const [victim] = simulator.subaccounts();
  if (victim === undefined) throw new Error("the simulated Twilio has no subaccount");
  return victim;
}

function describe(attack: AttackOrder["kind"]): string {
  switch (attack) {
    case "sms-pumping":
      return "13,000 texts at $0.30 begin, all to one block of numbers, +99899394xxxx.";
    case "toll-fraud":
      return "200 calls at $1.20 a minute begin, all to one block of numbers, +37190000xxxx.";
  }
}

/** As the operator API shows it, once its calls are ended and its alert is out. */
async function incidentIsRecorded({ url, operatorToken }: System): Promise<IncidentView> {
  return until("the incident is on record", async () => {
    const answer = await fetch(`${url}/api/incidents?limit=1`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    });
    const [newest] = IncidentListing.parse(await answer.json()).incidents;
    return newest?.alerts.some(({ publishedAt }) => publishedAt !== null) ? newest : undefined;
  });
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await pause(10);
  }
  throw new Error(`The demo waited ${PATIENCE_MS / 1000} s in vain for this: ${what}.`);
}

function dollars(amount: number): string {
  return amount.toLocaleString("en-US", { style: "currency", currency: "USD" });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
