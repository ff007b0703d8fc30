import { messageOf } from "../errors.ts";
import { identityOf, type Signal } from "../inbox/messages.ts";
import { firingOf } from "../incidents/firing.ts";
import type { Memory } from "../incidents/store.ts";
import { decide } from "../policy/decide.ts";
import { containWithoutStore } from "./contain-without-store.ts";
import { enact } from "./enact.ts";
import { finish } from "./finish.ts";
import { measure } from "./measure.ts";
import { type Recollection, recollect } from "./recollect.ts";
import type { Delivery, Responder } from "./responder.ts";

export type Outcome =
  | { kind: "done" }
  /** Not finished: the message must be delivered again. */
  | { kind: "again"; why: string };

/**
 * The story of one signal:
 *
 *     recall ─ decide ─ suspend ─ record ─ end calls ─ read evidence ─ alert ─ mark as seen
 *
 * Each step can be repeated, and a delivery that was cut anywhere is picked up by the next one, which reads from the
 * record what is still due. From the inbox to the suspend request there are two round trips to our own store: what is
 * known of the account and of the brake, and the claim of its one open incident, with the brake beside it (or the
 * loading of the incident, when there is one already: the brake is then asked while Twilio is read).
 *
 * @throws whatever the store throws: the message is then delivered again.
 */
export async function respond(responder: Responder, delivery: Delivery<Signal>): Promise<Outcome> {
  const { store, clock, log } = responder;
  const { accountSid, id } = delivery.signal;

  const { memory, known, leftOver } = await recall(responder, delivery);
  if (memory.seen) return { kind: "done" };

  const circumstances = {
    state: known?.incident.state ?? null,
    because: known?.incident.because ?? null,
    suspendedAt: known?.incident.suspendedAt ?? null,
    lastReactivatedAt: memory.lastReactivatedAt,
    passed: memory.passed,
    parentSid: responder.twilio.accountSid,
  };
  const verdict = decide(delivery.signal, circumstances, responder.policy, clock.now());
  log.info("signal-decided", { accountSid, id, verdict: verdict.kind, rule: verdict.rule, reason: verdict.reason });
  log.count("Signals", 1, { kind: delivery.signal.kind });
  const record = await enact(responder, delivery, { memory, known, leftOver, verdict });
  measure(log, known, record);
  const unfinished = record === undefined ? undefined : await finish(responder, delivery, record);
  if (unfinished !== undefined) return { kind: "again", why: unfinished };

  await store.markSeen(accountSid, identityOf(delivery.signal), clock.now());
  if (verdict.kind !== "ignore" || isFoundBySweep(delivery.signal)) await noteFired(responder, delivery.signal);
  return { kind: "done" };
}

const CLOCK_SKEW_MS = 5 * 60_000;

function isFoundBySweep(signal: Signal): boolean {
  return signal.kind === "usage-trigger" && signal.found !== "webhook";
}

/**
 * For the sweep, which asks about firings that never came in. One that is not noted is asked about in vain, once; so
 * neither a webhook that was ignored nor what says that it comes from the future is noted: whoever can sign for the account must
 * not make a firing that was kept from us look like one that came in.
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

async function recall(responder: Responder, delivery: Delivery<Signal>): Promise<Recollection> {
  let memory: Memory | undefined;
  try {
    memory = await responder.store.recall(delivery.signal.accountSid, identityOf(delivery.signal));
    return await recollect(responder, memory);
  } catch (cause) {
    await containWithoutStore(responder, delivery, { cause, lastReactivatedAt: memory?.lastReactivatedAt ?? null });
    throw cause;
  }
}
