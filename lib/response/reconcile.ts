import type { FollowUp } from "../inbox/follow-up.ts";
import type { Signal } from "../inbox/messages.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { firingOf } from "../incidents/firing.ts";
import { anchoredAt, newsSince } from "../policy/first-moment.ts";
import { firedTriggers, hasFiredSince, lostFirings } from "../triggers/lost-firings.ts";
import { mostUrgent } from "../triggers/most-urgent.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import { describeFailure } from "../twilio/failures.ts";
import { listUsageTriggers } from "../twilio/usage-triggers.ts";
import type { Responder } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";

type Reconcile = Extract<FollowUp, { kind: "reconcile" }>;

const REQUEST_TIMEOUT_MS = 5000;
/** Once the slot of the door is over in which the signal stood for others. */
const FIRST_LOOK_S = 1;
/** Twilio's lists may lag: what has just fired may not show yet. The sweep looks after that. */
const NEXT_LOOK_S = 10;
const MOST_LOOKS = 2;
/** Twilio's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 60_000;

/**
 * A webhook that came to nothing may have stood for others at the door, whatever it said: one that its account's thief made
 * up, and a genuine one after it. So Twilio's own list decides, a moment later.
 * @param record the account's incident as it is now; undefined where it has none
 */
export async function reconcileLater(
  { followUps }: Responder,
  signal: Signal,
  record: IncidentRecord | undefined,
): Promise<void> {
  const isFromDoor = signal.kind === "usage-trigger" && signal.found === "webhook";
  // Twilio has just said that it is suspended.
  const isStopped = record?.incident.state === "suspended" && record.incident.because === null;
  if (!isFromDoor || isStopped) return;
  await followUps.put({ kind: "reconcile", accountSid: signal.accountSid, look: 1 }, FIRST_LOOK_S);
}

/**
 * Reads the account's usage triggers with the parent's token, and puts each firing that nobody has dealt with into the
 * inbox, as the sweep does.
 * @returns why it has to be tried again; undefined when it is done.
 */
export async function reconcile(
  responder: Responder,
  { accountSid, look }: Reconcile,
  until: Until,
): Promise<string | undefined> {
  const { store, inbox, followUps, policy, publicUrl, clock, log } = responder;
  const twilio = limitedTo(responder.twilio, until);
  const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (list.kind === "failed") return `the account's usage triggers could not be read: ${describeFailure(list.failure)}`;
  const memory = await store.recall(accountSid, "reconcile");
  const { lastReactivatedAt } = anchoredAt(memory, memory.before);
  const situation = { accountSid, publicUrl, lastReactivatedAt, policy, now: clock.now() };
  // What fired before we watched is the first sweep's to tell.
  const since = newsSince(memory.firstMoment, situation.now);
  const fired = firedTriggers(list.body, situation, -CLOCK_SKEW_MS).filter((trigger) => hasFiredSince(trigger, since));
  const firings = fired.map((trigger) => firingOf(trigger.sid, trigger));
  const handled = await store.firedAt(accountSid, firings);
  const found = lostFirings(fired, handled, situation, "reconciled");
  const urgent = mostUrgent(found, policy, situation.now);
  for (const signal of urgent) await inbox.put(signal);
  if (found.length > 0) log.warn("firings-reconciled", { accountSid, firings: found.length, put: urgent.length });
  // No oftener, whatever is left: looks that a thief's webhooks begin must not go on as long as a thief's triggers last.
  const isLeft = found.length === 0 || urgent.length < found.length;
  if (isLeft && look < MOST_LOOKS) await followUps.put({ kind: "reconcile", accountSid, look: look + 1 }, NEXT_LOOK_S);
  return undefined;
}
