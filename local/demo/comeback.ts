import * as z from "zod/mini";
import type { TwilioSimulator } from "../twilio/simulator.ts";
import type { AccountSummary } from "../twilio/summary.ts";
import type { Stage, Story } from "./story.ts";
import { dollars, type Teller } from "./teller.ts";
import { firstSubaccount, incidentOf, incidents, pause, until, type WatchedIncident } from "./watch.ts";

const ATTACK = { kind: "sms-pumping" } as const;
const REASON = "the form has a captcha now, and the leaked key is gone";

/** An account comes back: checked, cleaned and armed before it is live; and trips again when the attack does. */
export const comebackStory: Story = {
  subaccounts: 4,
  timeFactor: 12,
  tell: async (stage) => {
    const victim = firstSubaccount(stage.simulator);
    stage.teller.say("comeback: an attack, a suspension, a clean-up, a reactivation, and the attack again.");
    stage.teller.say();

    const first = await suspended(stage, victim);
    await refusedAtFirst(stage, first);
    await cameBack(stage, victim, first);
    await staysQuiet(stage, victim);
    return tripsAgain(stage, victim, first);
  },
};

async function suspended(stage: Stage, victim: AccountSummary): Promise<WatchedIncident> {
  const { system, simulator, timeFactor, teller } = stage;
  teller.tell(`${victim.friendlyName} (${victim.accountSid}) is attacked: 13,000 texts at $0.30.`);
  simulator.startAttack(victim.accountSid, { ...ATTACK, timeFactor });
  await until("the account is suspended", () => statusOf(simulator, victim) === "suspended" || undefined);
  simulator.stopAttack(victim.accountSid);
  teller.tell(`Suspended. Spent by then: ${dollars(simulator.account(victim.accountSid).spentToday)}.`);
  const isRead = ({ state, checklist }: WatchedIncident) => state === "suspended" && checklist !== null;
  const incident = await incidentOf(system, victim, "the check-list is read", isRead);
  teller.tell("What must be in order before it comes back, read from Twilio:");
  teller.quote(checklistLines(incident));
  return incident;
}

function checklistLines({ checklist }: WatchedIncident): string[] {
  return (checklist?.items ?? []).map(({ id, answer, why }) => `${answer.padEnd(11)} ${id}: ${why}`);
}

const Refused = z.object({ detail: z.string(), missing: z.array(z.object({ id: z.string() })) });

/** Whoever only switches it on again is refused, at once. */
async function refusedAtFirst(
  { system, simulator, teller }: Stage,
  { id, accountSid }: WatchedIncident,
): Promise<void> {
  const answer = await ask(system, id, { reason: REASON });
  if (answer.status !== 422) throw new Error(`A reactivation without answers was not refused: ${answer.status}.`);
  const { missing } = Refused.parse(await answer.json());
  const open = missing.map((item) => item.id).join(", ");
  teller.tell(`An operator asks for its reactivation, and is refused at once. Not answered: ${open}.`);
  if (simulator.account(accountSid).status !== "suspended") throw new Error("The account did not stay suspended.");
}

const Accepted = z.object({ command: z.string() });

async function cameBack(stage: Stage, victim: AccountSummary, { id, checklist }: WatchedIncident): Promise<void> {
  const { system, simulator, teller } = stage;
  const before = simulator.account(victim.accountSid);
  const answer = await ask(system, id, {
    reason: REASON,
    acknowledge: ["triggers", "suspended-by"],
    cleanup: ["api-keys", "auth-token"],
    // What is accepted is the list that was shown.
    checklist: checklist?.digest,
  });
  if (answer.status !== 202) throw new Error(`The reactivation was not accepted: ${answer.status}.`);
  Accepted.parse(await answer.json());
  teller.tell("Asked again, with `api-keys` and `auth-token` to be cleaned up. The responder carries it out:");
  const back = await incidentOf(system, victim, "the account is back", ({ state }) => state === "reactivated");
  teller.quote(await stepsOf(system, back.id));
  const now = simulator.account(victim.accountSid);
  if (now.status !== "active") throw new Error("The account is not active.");
  if (now.authToken === before.authToken) throw new Error("The auth token was not changed.");
  teller.tell("Active again, with another auth token; and each suspending limit has a guard, made before it was live.");
}

async function staysQuiet({ simulator, teller }: Stage, victim: AccountSummary): Promise<void> {
  await pause(2000);
  if (statusOf(simulator, victim) !== "active") throw new Error("The account did not stay active.");
  teller.tell(
    "Signals of the first attack that are still under way change nothing: they fired before the reactivation.",
  );
}

/** @returns the second incident's id. */
async function tripsAgain(stage: Stage, victim: AccountSummary, first: WatchedIncident): Promise<string> {
  const { system, simulator, timeFactor, teller } = stage;
  const before = simulator.account(victim.accountSid).spentToday;
  const begun = Date.now();
  teller.tell("The attacker comes back, too. The day's own triggers have fired, and would stay silent until midnight.");
  simulator.startAttack(victim.accountSid, { ...ATTACK, timeFactor });
  await until("the account is suspended again", () => statusOf(simulator, victim) === "suspended" || undefined);
  simulator.stopAttack(victim.accountSid);
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  const spent = simulator.account(victim.accountSid).spentToday - before;
  teller.tell(`Suspended again ${seconds} s later, ${dollars(spent)} after it came back.`);
  const second = await until("the second incident is on record", async () =>
    (await incidents(system)).find(({ accountSid, id, state }) => isNew(state, id, accountSid)),
  );
  sayWhatTripped(teller, second);
  return second.id;

  function isNew(state: string, id: string, accountSid: string): boolean {
    return accountSid === victim.accountSid && id !== first.id && state === "suspended";
  }
}

function sayWhatTripped({ tell, say }: Teller, { rule, reason }: WatchedIncident): void {
  tell(`What tripped: ${rule}. ${reason}.`);
  say();
}

function ask({ url, operatorToken }: Stage["system"], id: string, body: object): Promise<Response> {
  return fetch(`${url}/api/incidents/${id}/reactivate`, {
    method: "POST",
    headers: { authorization: `Bearer ${operatorToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

const Timeline = z.object({
  timeline: z.array(z.object({ at: z.string(), what: z.string(), who: z.string(), why: z.string() })),
});

async function stepsOf({ url, operatorToken }: Stage["system"], id: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${operatorToken}` };
  const { timeline } = Timeline.parse(await (await fetch(`${url}/api/incidents/${id}`, { headers })).json());
  const begun = timeline.findIndex(({ what }) => what === "reactivation-asked");
  return timeline.slice(begun).map(({ what, who, why }) => `${what.padEnd(20)} ${who}: ${why}`);
}

function statusOf(simulator: TwilioSimulator, { accountSid }: AccountSummary): string {
  return simulator.account(accountSid).status;
}
