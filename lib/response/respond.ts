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
 * known of the account, and the claim of its one open incident (or the loading of it, when there is one already).
 *
 * @throws whatever the store throws: the message is then delivered again.
 */
export async function respond(responder: Responder, delivery: Delivery): Promise<Outcome> {
  const { store, clock } = responder;
  const { accountSid, id } = delivery.signal;

  const { memory, known, leftOver } = await recall(responder, delivery);
  if (memory.seen) return { kind: "done" };

  const verdict = decide(delivery.signal, {
    state: known?.incident.state ?? null,
    suspendedAt: known?.incident.suspendedAt ?? null,
    lastReactivatedAt: memory.lastReactivatedAt,
    parentSid: responder.twilio.accountSid,
    mode: responder.mode,
  });
  const record = await enact(responder, delivery, { memory, known, leftOver, verdict });
  const unfinished = record === undefined ? undefined : await finish(responder, delivery, record);
  if (unfinished !== undefined) return { kind: "again", why: unfinished };

  await store.markSeen(accountSid, id, clock.now());
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
  const { accountSid, id } = delivery.signal;
  let memory: Memory | undefined;
  try {
    memory = await store.recall(accountSid, id);
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
