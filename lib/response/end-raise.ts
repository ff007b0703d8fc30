import { raisedNotice, raiseEndedNotice } from "../alerts/raise-notices.ts";
import type { EndRaiseCommand } from "../inbox/commands.ts";
import type { RaiseRecord } from "../incidents/raise-store.ts";
import type { Memory } from "../incidents/store.ts";
import { valuesOf } from "../policy/measure.ts";
import { measureOfRaise, type Raise, type RaiseEnd, raisableLimit, restOf, stageOf } from "../policy/raise.ts";
import { countsAfterRaise } from "../triggers/raised-guards.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import { describeFailure, isRefusal } from "../twilio/failures.ts";
import { listUsageTriggers, type UsageTrigger } from "../twilio/usage-triggers.ts";
import { arrangeLimit } from "./arrange-limit.ts";
import { CALLS_SHARE, type Order, type Responder, share, type Turn } from "./responder.ts";
import { whyStale } from "./stale-command.ts";
import { limitedTo } from "./time-limit.ts";

const REQUEST_TIMEOUT_MS = 5000;

/** What our own store knows of the account. */
type Known = Pick<Memory, "raises" | "passed" | "interims" | "lastReactivatedAt">;

/**
 * The end of a raised limit: read what was spent ─ write it down ─ arrange the usage trigger ─ tell. Each by itself can be
 * repeated. An account that is above the policy's value by then is not suspended for it (`restOf`), and not left unguarded.
 */

/** Somebody takes it back before its time is over. @returns why it has to be tried again; undefined when it is done. */
export async function endRaise(
  responder: Responder,
  { command, ...turn }: Order<EndRaiseCommand>,
  memory: Known,
): Promise<string | undefined> {
  const { clock, log } = responder;
  const { id, accountSid, limit, operator, reason } = command;
  const { raises } = memory;
  const raise = Object.hasOwn(raises, limit) ? raises[limit] : undefined;
  const late = whyStale(command, undefined, clock.now());
  if (raise === undefined || raise.ended !== null || late !== undefined) {
    // An earlier delivery of it may have been cut before people were told.
    if (raise !== undefined && raise.due === "ended") return lookAfterRaises(responder, accountSid, memory, turn);
    log.warn("command-refused", { accountSid, command: id, why: late ?? "this limit is not raised" });
    return undefined;
  }
  const end = { at: command.receivedAt, operator, reason };
  return settleRaise(responder, raise, end, { ...memory, until: share(responder, turn, CALLS_SHARE) });
}

/** Whatever is due of the account's raised limits. @returns why it has to be tried again; undefined when it is done. */
export async function lookAfterRaises(
  responder: Responder,
  accountSid: string,
  memory: Known,
  turn: Omit<Turn, "besides">,
): Promise<string | undefined> {
  const { policy, store, alerts, clock } = responder;
  const until = share(responder, turn, CALLS_SHARE);
  let { raises } = memory;
  for (const raise of Object.values(raises)) {
    switch (stageOf(raise, policy, clock.now())) {
      case "end": {
        const end = { at: clock.now().toISOString(), operator: null, reason: null };
        return settleRaise(responder, raise, end, { ...memory, raises, until });
      }
      case "tell": {
        const told = raise.due === "ended" ? endedNotice(responder, raise) : raisedNotice(raise, null);
        await alerts.publish(told);
        raises = { ...raises, [raise.limit]: { ...raise, due: null } };
        await store.keepRaises(accountSid, raises);
        break;
      }
      case "forget": {
        const { [raise.limit]: _, ...others } = raises;
        raises = others;
        await arrangeLimit(responder, { accountSid, limit: raise.limit, raises }, until);
        await store.keepRaises(accountSid, raises);
        break;
      }
      default:
    }
  }
  return undefined;
}

async function settleRaise(
  responder: Responder,
  raise: Raise,
  end: Pick<RaiseEnd, "at" | "operator" | "reason">,
  { raises: before, passed, interims, lastReactivatedAt, until }: Known & { until: Until },
): Promise<string | undefined> {
  const { store, alerts, policy, clock, log } = responder;
  const { accountSid, limit } = raise;
  const reading = await readSpent(responder, raise, until);
  if (reading.kind === "again") return reading.why;
  const { spent, triggers } = reading;
  const ended: Raise = {
    ...raise,
    ended: { ...end, spent, rest: restOf(raise, spent, policy, clock.now()) },
    due: "ended",
  };
  const raises = { ...before, [limit]: ended };
  const counts = { passed, interims, lastReactivatedAt };
  const after = countsAfterRaise({ accountSid, limit, counts }, triggers, policy, clock.now());
  if (after.interims !== interims) await store.noteInterims(accountSid, after.interims);
  await store.keepRaises(accountSid, raises, after.passed === passed ? undefined : after.passed);
  await store.recordRaise(recordOf(ended));
  log.info("raise-ended", { accountSid, limit, spent, by: end.operator, rest: ended.ended?.rest?.to ?? null });
  await arrangeLimit(responder, { accountSid, limit, raises }, until);
  await alerts.publish(endedNotice(responder, ended));
  await store.keepRaises(accountSid, { ...raises, [limit]: { ...ended, due: null } });
  return undefined;
}

type Spent = { kind: "read"; spent: string | null; triggers: readonly UsageTrigger[] } | { kind: "again"; why: string };

const NOTHING_READ: Spent = { kind: "read", spent: null, triggers: [] };

/** What was used of the limit in its period, as its own usage triggers show it; null where none does. */
async function readSpent({ twilio, policy }: Responder, raise: Raise, until: Until): Promise<Spent> {
  const { accountSid } = raise;
  const measure = measureOfRaise(raise, policy);
  if (measure === undefined) return NOTHING_READ;
  const inTime = limitedTo(twilio, until);
  const list = await retrying(() => listUsageTriggers(inTime, accountSid, REQUEST_TIMEOUT_MS), until);
  if (list.kind === "ok") {
    return { kind: "read", spent: valuesOf(list.body, policy)[measure] ?? null, triggers: list.body };
  }
  const { failure } = list;
  // Of an account that is suspended or closed Twilio may show nothing, and it spends nothing.
  const isHidden = isRefusal(failure) || failure.kind === "not-found" || failure.status === 403;
  if (isHidden) return NOTHING_READ;
  return { kind: "again", why: `the account's usage triggers could not be read: ${describeFailure(failure)}` };
}

function endedNotice({ policy }: Responder, raise: Raise) {
  const raisable = raisableLimit(raise.limit, raise.accountSid, policy);
  return raiseEndedNotice(raise, null, raisable.kind === "refused" ? null : raisable.value);
}

/** Pure. As people look it up. */
export function recordOf({ due: _, ...raise }: Raise): RaiseRecord {
  return { ...raise, state: raise.ended === null ? "raised" : "ended", why: null };
}
