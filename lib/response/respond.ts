import { identityOf } from "../inbox/messages.ts";
import type { IncidentRecord } from "../incidents/record.ts";
import type { Memory } from "../incidents/store.ts";
import { isOver } from "../incidents/transitions.ts";
import { decide } from "../policy/decide.ts";
import { containWithoutStore } from "./contain-without-store.ts";
import { enact } from "./enact.ts";
import { finish } from "./finish.ts";
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
export async function respond(responder: Responder, delivery: Delivery): Promise<Outcome> {
  const { store, clock, log } = responder;
  const { accountSid, id } = delivery.signal;

  const { memory, known, leftOver } = await recall(responder, delivery);
  if (memory.seen) return { kind: "done" };

  const circumstances = {
    state: known?.incident.state ?? null,
    because: known?.incident.because ?? null,
    suspendedAt: known?.incident.suspendedAt ?? null,
    lastReactivatedAt: memory.lastReactivatedAt,
    parentSid: responder.twilio.accountSid,
  };
  const verdict = decide(delivery.signal, circumstances, responder.policy, clock.now());
  log.info("signal-decided", { accountSid, id, verdict: verdict.kind, rule: verdict.rule, reason: verdict.reason });
  const record = await enact(responder, delivery, { memory, known, leftOver, verdict });
  const unfinished = record === undefined ? undefined : await finish(responder, delivery, record);
  if (unfinished !== undefined) return { kind: "again", why: unfinished };

  await store.markSeen(accountSid, identityOf(delivery.signal), clock.now());
  return { kind: "done" };
}

interface Recollection {
  memory: Memory;
  /** The account's open incident. */
  known: IncidentRecord | undefined;
  /** An incident that is over and still claimed as the open one: what closed it was cut. */
  leftOver: string | undefined;
}

async function recall(responder: Responder, delivery: Delivery): Promise<Recollection> {
  const { store } = responder;
  let memory: Memory | undefined;
  try {
    memory = await store.recall(delivery.signal.accountSid, identityOf(delivery.signal));
    const openId = memory.seen ? null : memory.openIncidentId;
    const found = openId === null ? undefined : await store.load(openId);
    return found !== undefined && isOver(found.incident.state)
      ? { memory, known: undefined, leftOver: found.incident.id }
      : { memory, known: found, leftOver: undefined };
  } catch (cause) {
    await containWithoutStore(responder, delivery, { cause, lastReactivatedAt: memory?.lastReactivatedAt ?? null });
    throw cause;
  }
}
