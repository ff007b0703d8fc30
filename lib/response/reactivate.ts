import type { ReactivateCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, reactivated, reactivationAsked } from "../incidents/coming-back.ts";
import { wishOf } from "../incidents/wish.ts";
import { arm } from "./coming-back/arm.ts";
import { checkAnew } from "./coming-back/check-anew.ts";
import { cleanContained } from "./coming-back/clean-contained.ts";
import { cleanLive } from "./coming-back/clean-live.ts";
import { confirmUnfired } from "./coming-back/confirm-unfired.ts";
import { goLive } from "./coming-back/go-live.ts";
import { type Journey, type Progress, reactivationOf, type Step } from "./coming-back/journey.ts";
import { noteKeys } from "./coming-back/new-keys.ts";
import { refuseIfActive } from "./coming-back/refuse-if-active.ts";
import { noSightings } from "./coming-back/trigger-sightings.ts";
import { turnBack } from "./coming-back/turn-back.ts";
import { type Order, type Responder, share } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";

/** Of the delivery's time; the rest is for suspending it again, should it fail. */
const WAY_SHARE = 0.6;

export interface CarriedOut {
  record: IncidentRecord;
  /** Why the message must be delivered again; undefined when nothing is left. */
  again?: string;
}

/**
 * The way back: check anew ─ clean what can be cleaned while it is suspended ─ arm ─ set active ─ clean the rest ─ look
 * whether it has spent too much meanwhile.
 *
 * An account is armed before it is active, and each step is written down before the next begins. Cut anywhere, it is
 * suspended, or it is active and armed; the next delivery goes on from there. A step that fails leads back to suspended.
 *
 * @throws what the store throws: the message is then tried again.
 */
export async function reactivate(
  responder: Responder,
  order: Order<ReactivateCommand>,
  found: IncidentRecord,
): Promise<CarriedOut> {
  const { store, clock } = responder;
  const refusal = whyRefused(found, order.command);
  if (refusal !== undefined) {
    const now = clock.now();
    const wish = wishOf(order.command);
    return { record: await store.change(found, (record) => commandRefused(record, wish, refusal, now)) };
  }
  if (isOver(found, order.command)) return { record: await released(responder, found) };

  const active = await refuseIfActive(responder, order, found);
  if (active !== undefined) return { record: active };

  const now = clock.now();
  const asked =
    found.incident.state === "suspended"
      ? await store.change(found, (record) => reactivationAsked(record, order.command, now))
      : found;
  return travel(journeyOf(responder, order), asked);
}

const WAY: readonly Step[] = [checkAnew, cleanContained, noteKeys, arm, goLive, cleanLive, confirmUnfired];

async function travel(journey: Journey, start: IncidentRecord): Promise<CarriedOut> {
  const { responder } = journey;
  let progress = resumed(start);
  for (const step of WAY) {
    if (progress.kind !== "on") break;
    progress = await step(journey, progress.record);
  }
  if (progress.kind === "later")
    return { record: progress.record, again: `there is more to clean up: ${progress.why}` };
  if (progress.kind !== "on") {
    const back = await turnBack(journey, progress.record, progress);
    return back.kind === "settled" ? { record: back.record } : { record: back.record, again: back.why };
  }
  return { record: await arrived(responder, progress.record) };
}

/** What the account's next signals and the sweep must know is there before the incident is over. */
async function arrived(responder: Responder, record: IncidentRecord): Promise<IncidentRecord> {
  const { store, clock } = responder;
  const now = clock.now();
  const { accountSid, id, reactivatedAt: at } = reactivated(record, now).record.incident;
  if (at !== null) await store.noteReactivated(accountSid, id, { at, passed: record.passed });
  return released(responder, await store.change(record, (current) => reactivated(current, now)));
}

/** An earlier delivery may have begun to go back; and a stop that was asked for meanwhile may come true at any time. */
function resumed(record: IncidentRecord): Progress {
  const { failure, at } = reactivationOf(record);
  if (failure !== null) return { kind: "failed", record, why: failure };
  const { suspendedAt } = record.incident;
  const isUnanswered = record.askedAt !== null && record.askedAt > at && record.askedAt > (suspendedAt ?? "");
  return isUnanswered ? { kind: "failed", record, why: STOPPED } : { kind: "on", record };
}

const STOPPED = "meanwhile the account tripped again, and Twilio did not say whether it suspended it";

/** From here on what fired before is old news, and what fires makes an incident of its own. */
async function released({ store }: Responder, record: IncidentRecord): Promise<IncidentRecord> {
  const { accountSid, id, reactivatedAt: at } = record.incident;
  if (at !== null) await store.release(accountSid, id, { at, passed: record.passed });
  return record;
}

function journeyOf(responder: Responder, order: Order<ReactivateCommand>): Journey {
  const until = share(responder, order, WAY_SHARE);
  const { accountSid } = order.command;
  return { responder, order, accountSid, until, twilio: limitedTo(responder.twilio, until), sightings: noSightings() };
}

/** Whether an earlier delivery of this command brought it to its end. */
function isOver({ incident }: IncidentRecord, { id }: ReactivateCommand): boolean {
  return incident.reactivation?.command === id && incident.state !== "reactivating";
}

function whyRefused(
  { incident, stopAskedAt }: IncidentRecord,
  { id, receivedAt }: ReactivateCommand,
): string | undefined {
  const { state, reactivation } = incident;
  if (reactivation?.command === id) return undefined;
  if (stopAskedAt !== null && Date.parse(stopAskedAt) > Date.parse(receivedAt)) {
    return "somebody asked for the account to be suspended after this: ask again if it is still wanted";
  }
  if (state === "suspended") return undefined;
  return state === "reactivating" && reactivation !== null
    ? `a reactivation is under way, asked for by ${reactivation.operator}; if it hangs, suspend the account (tollbreaker suspend SID), then reactivate it`
    : `only a suspended account can be reactivated; its incident is ${state}`;
}
