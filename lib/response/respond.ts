import { messageOf } from "../errors.ts";
import { identityOf, type Signal } from "../inbox/messages.ts";
import { firingOf } from "../incidents/firing.ts";
import type { Memory } from "../incidents/store.ts";
import { decide, type Verdict } from "../policy/decide.ts";
import { isProtected } from "../policy/exemption.ts";
import { anchoredAt } from "../policy/first-moment.ts";
import { maySuspend } from "../policy/stands-for.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import type { Case } from "./case.ts";
import { containWithoutStore } from "./contain-without-store.ts";
import { enact } from "./enact.ts";
import { finishSoon, whyUnfinished } from "./finish.ts";
import { foundSuspended, WITHOUT_TABLE } from "./found-suspended.ts";
import { measure } from "./measure.ts";
import { underRaises } from "./raised.ts";
import { recall } from "./recollect.ts";
import { reconcileLater } from "./reconcile.ts";
import { type Delivery, type Outcome, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { limitedTo, NO_SOONER_MS } from "./time-limit.ts";

/**
 * The story of one signal:
 *
 *     recall ─ decide ─ suspend ─ record ─ what is due besides ─ mark as seen
 *
 * Each step can be repeated, and a try that was cut anywhere is picked up by the next one, which reads from the record what
 * is still due. From the inbox to the suspend request there are two round trips to our own store: what is known of the
 * account and of the brake, and the claim of its one open incident (or the loading of the incident, when there is one
 * already); the brake is asked once Twilio has said that the account is active.
 *
 * @throws whatever the store throws: the message is then tried again.
 */
export async function respond(responder: Responder, received: Delivery<Signal>): Promise<Outcome> {
  const { store, clock } = responder;
  const { signal } = received;
  const begun = withReading(responder, received);
  const recalled = await recall(responder, signal.accountSid, identityOf(signal));
  // Whatever our own store does: a fresh signal is enforced without it.
  if (recalled.kind === "failed") return containWithoutStore(responder, begun, recalled);

  const { memory, known, leftOver } = recalled.recollection;
  const delivery = withoutOldContainment(begun, memory);
  // What we could not write down then is written down now, whatever the signal would lead to today.
  if (memory.seen && delivery.containedAt === null) {
    await reconcileLater(responder, signal, known);
    return { kind: "done" };
  }
  // Written down, and not asked for once more, where the policy has come to protect the account.
  const isToBeHeld = delivery.containedAt !== null && !isProtected(signal.accountSid, responder.policy, clock.now());
  const verdict = isToBeHeld ? CONTAINED : decided(responder, signal, { memory, known });
  const current = { memory, known, leftOver };
  const inForce = underRaises(responder, signal.accountSid, memory);
  // Seen before, it was dealt with: only what was done meanwhile is left.
  const record =
    memory.seen && !isToBeHeld
      ? await foundSuspended(inForce, delivery, current)
      : await enact(inForce, delivery, { ...current, verdict });
  measure(responder.log, known, record);
  if (record !== undefined) await finishSoon(inForce, delivery, record);
  // By the policy as it is now: an incident that failed is the sweep's where this signal asks for nothing any more.
  const unfinished = isStop(verdict) ? whyUnfinished(record) : undefined;
  if (unfinished !== undefined) return { kind: "again", why: unfinished };

  await reconcileLater(responder, signal, record);
  await store.markSeen(signal.accountSid, identityOf(signal), clock.now());
  if (verdict.kind !== "ignore" || isFound(signal)) await noteFired(responder, signal);
  return { kind: "done" };
}

/** Who was brought back since is not suspended by what an earlier try did: somebody has written that down, and dealt with it. */
function withoutOldContainment(delivery: Delivery<Signal>, { lastReactivatedAt }: Memory): Delivery<Signal> {
  const { containedAt } = delivery;
  const isOver = containedAt !== null && lastReactivatedAt !== null && containedAt < lastReactivatedAt;
  return isOver ? { ...delivery, containedAt: null } : delivery;
}

/** What may be suspended is read while our own store is. */
function withReading(responder: Responder, delivery: Delivery<Signal>): Delivery<Signal> {
  const { policy, twilio, clock } = responder;
  const { signal } = delivery;
  if (!maySuspend(signal, policy, clock.now()) || signal.accountSid === twilio.accountSid) return delivery;
  const inTime = limitedTo(twilio, share(responder, delivery, SUSPENSION_SHARE));
  return { ...delivery, reading: fetchAccount(inTime, signal.accountSid, NO_SOONER_MS) };
}

function isStop({ kind }: Verdict): boolean {
  return kind === "suspend" || kind === "hold";
}

const CONTAINED: Verdict = {
  kind: "suspend",
  confirm: null,
  isNamed: true,
  ...WITHOUT_TABLE,
};

function decided(responder: Responder, signal: Signal, { memory, known }: Pick<Case, "memory" | "known">): Verdict {
  const { policy, twilio, clock, log } = responder;
  const circumstances = {
    state: known?.incident.state ?? null,
    because: known?.incident.because ?? null,
    suspendedAt: known?.incident.suspendedAt ?? null,
    ...anchoredAt(memory, memory.before),
    firstMoment: memory.firstMoment,
    raises: memory.raises,
    interims: memory.interims,
    parentSid: twilio.accountSid,
  };
  const verdict = decide(signal, circumstances, policy, clock.now());
  const { accountSid, id } = signal;
  log.info("signal-decided", { accountSid, id, verdict: verdict.kind, rule: verdict.rule, reason: verdict.reason });
  log.count("Signals", 1, { kind: signal.kind });
  return verdict;
}

const CLOCK_SKEW_MS = 5 * 60_000;

/** By us, on Twilio's own list: no webhook says so. */
function isFound(signal: Signal): boolean {
  return signal.kind === "usage-trigger" && signal.found !== "webhook";
}

/**
 * For the sweep and whoever reconciles, who ask about firings that never came in. One that is not noted is asked about in
 * vain, once; so neither a webhook that was ignored nor what says that it comes from the future is noted: whoever can sign
 * for the account must not make a firing that was kept from us look like one that came in.
 */
async function noteFired({ store, log }: Responder, signal: Signal): Promise<void> {
  if (signal.kind !== "usage-trigger" || signal.firedAt === null) return;
  if (Date.parse(signal.firedAt) > Date.parse(signal.receivedAt) + CLOCK_SKEW_MS) return;
  try {
    await store.noteFired(signal.accountSid, firingOf(signal.usageTriggerSid, signal), signal.firedAt);
  } catch (error) {
    log.warn("firing-not-noted", { accountSid: signal.accountSid, reason: messageOf(error) });
  }
}
