import { approximate, withoutTrailingZeros } from "../../lib/decimal.ts";
import type { AttackOrder } from "../twilio/attacks.ts";
import type { TwilioSimulator } from "../twilio/simulator.ts";
import type { AccountSummary } from "../twilio/summary.ts";
import { showOthers } from "./others.ts";
import type { Stage, Story } from "./story.ts";
import { dollars, many, type Teller } from "./teller.ts";
import { firstSubaccount, incidentOf, pause, slackAbout, until, type WatchedIncident, wasAlerted } from "./watch.ts";

/** One account spends more than it should, whoever is to blame: it is suspended, and no other is touched. */
export function spendingStory(order: AttackOrder, opening: string, whoGoesOn: string): Story {
  return {
    subaccounts: 5,
    timeFactor: 12,
    tell: async (stage) => {
      const { system, simulator, slack, teller } = stage;
      const victim = firstSubaccount(simulator);
      const others = simulator.subaccounts().slice(1);

      introduce(stage, order.kind);
      const { pricePerHour } = begin(stage, victim, order, opening);
      const atDetection = await twilioTells(simulator, victim, teller);
      const atSuspension = await accountIsSuspended(simulator, victim, teller);
      const incident = await incidentOf(system, victim, "the incident is on record", isTold);
      sayWhatTripped(simulator, incident, teller);
      teller.tell(`Calls ended: ${incident.containment?.callsEnded}. A suspension alone would have let them go on.`);
      teller.tell("Slack is told:");
      teller.quote(await until("Slack hears of it", () => slackAbout(slack, victim, /^\W*suspended\b/i)));
      await spenderGoesOn(simulator, victim, whoGoesOn, teller);

      sayMoney(teller, { atDetection, atSuspension, perHour: pricePerHour }, incident);
      showOthers(teller, simulator, others);
      return incident.id;
    },
  };
}

const isTold = (incident: WatchedIncident) => incident.state === "suspended" && wasAlerted(incident, "suspended");

function introduce({ policy, timeFactor, simulator, teller: { say } }: Stage, kind: string): void {
  const suspending = Object.values(policy.limits).filter(({ then }) => then === "suspend");
  say(`${kind} on one of ${simulator.subaccounts().length} subaccounts, ${timeFactor} times faster than in real life:`);
  say(`Twilio evaluates usage triggers about once a minute, every ${60 / timeFactor} seconds here.`);
  say("policy.yml suspends an account in a day at:");
  for (const { category, by, at } of suspending) say(`  ${category} by ${by}, ${at}`);
  say();
}

function begin({ simulator, timeFactor, teller }: Stage, victim: AccountSummary, order: AttackOrder, opening: string) {
  // Calls of its own that are under way: suspending an account does not end them.
  simulator.addCalls(victim.accountSid, { calls: 3 });
  teller.tell(`${victim.friendlyName} (${victim.accountSid}): ${opening}`);
  return simulator.startAttack(victim.accountSid, { ...order, timeFactor });
}

/** @returns what was spent when Twilio's first word reached us, in dollars. */
async function twilioTells(simulator: TwilioSimulator, victim: AccountSummary, { tell }: Teller): Promise<number> {
  const news = await until(
    "Twilio tells us of it",
    () => triggerNews(simulator, victim) ?? errorNews(simulator, victim),
  );
  tell(news.line);
  tell("Accepted: signed with this subaccount's own auth token, and stored before Twilio got its answer.");
  return news.spent;
}

interface News {
  line: string;
  spent: number;
}

function triggerNews(simulator: TwilioSimulator, { accountSid }: AccountSummary): News | undefined {
  const [firing] = simulator.deliveries();
  if (firing === undefined) return undefined;
  if (firing.accountSid !== accountSid) throw new Error("Another account's trigger fired first.");
  const { outcome } = firing;
  if (outcome.kind !== "answered" || outcome.status !== 204) throw new Error("The webhook was not accepted.");
  const spent = spentAt(firing.form) ?? simulator.account(accountSid).spentToday;
  return { spent, line: `Twilio notices: ${dollars(spent)} spent. Its usage trigger calls our webhook.` };
}

// A trigger by count says nothing of money.
const spentAt = ({ UsageCategory, TriggerBy, CurrentValue }: Readonly<Record<string, string>>): number | undefined =>
  UsageCategory === "totalprice" && TriggerBy === "price" ? approximate(CurrentValue ?? "0") : undefined;

// Twilio's own protection often sees an attack before its billing does.
function errorNews(simulator: TwilioSimulator, { accountSid }: AccountSummary): News | undefined {
  const blocked = simulator
    .errorDeliveries()
    .find((one) => one.accountSid === accountSid && one.outcome.kind === "answered" && one.outcome.status === 204);
  const code = simulator.errors().find(({ sid }) => sid === blocked?.eventSid)?.code;
  if (code !== 30450 && code !== 30453) return undefined;
  const { spentToday } = simulator.account(accountSid);
  const line = `Twilio blocks some of it (error ${code}) and says so in its debugger. ${dollars(spentToday)} spent.`;
  return { line, spent: spentToday };
}

async function accountIsSuspended(
  simulator: TwilioSimulator,
  victim: AccountSummary,
  { tell }: Teller,
): Promise<number> {
  const now = () => simulator.account(victim.accountSid);
  await until("the account is suspended", () => now().status === "suspended" || undefined);
  const { spentToday } = now();
  tell(`Suspended, and read back from Twilio. Spent by then: ${dollars(spentToday)}.`);
  return spentToday;
}

function sayWhatTripped(
  simulator: TwilioSimulator,
  { accountSid, rule, reason }: WatchedIncident,
  teller: Teller,
): void {
  teller.tell(`What tripped: ${rule}. ${reason}.`);
  const firings = simulator.deliveries().filter((firing) => firing.accountSid === accountSid && firing.attempt === 1);
  for (const { form } of firings) {
    const { UsageCategory, TriggerBy, CurrentValue, TriggerValue } = form;
    teller.tell(
      `Twilio's trigger: ${UsageCategory} by ${TriggerBy} at ${CurrentValue}, its value ${withoutTrailingZeros(TriggerValue ?? "")}.`,
    );
  }
}

async function spenderGoesOn(
  simulator: TwilioSimulator,
  { accountSid }: AccountSummary,
  who: string,
  { tell, say }: Teller,
): Promise<void> {
  const before = simulator.account(accountSid);
  await pause(2000);
  const after = simulator.account(accountSid);
  simulator.stopAttack(accountSid);
  const refused = after.refused.messages + after.refused.calls;
  const spent = after.spentToday - before.spentToday;
  tell(`${who} goes on: ${many(refused)} attempts refused, ${dollars(spent)} spent on them.`);
  if (spent > 0 || after.liveCalls > 0) throw new Error("The account went on spending after its suspension.");
  if (after.status !== "suspended") throw new Error("The account did not stay suspended.");
  say();
}

interface Spending {
  atDetection: number;
  atSuspension: number;
  /** What an hour of it costs unhindered. */
  perHour: number;
}

function sayMoney(
  { say, row }: Teller,
  { atDetection, atSuspension, perHour }: Spending,
  { lags }: WatchedIncident,
): void {
  const ours = `our part: ${lags.receivedToSuspended} ms from the webhook to the suspension`;
  say("Money");
  row("spent when Twilio noticed", dollars(atDetection), "Twilio's part: its usage data and its triggers lag");
  row("spent when suspended", dollars(atSuspension), ours);
  row("one hour more at that rate", dollars(perHour), "not spent");
  say();
}
