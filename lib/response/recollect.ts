import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import type { Memory } from "../incidents/store.ts";
import { isOver } from "../incidents/transitions.ts";
import type { Responder } from "./responder.ts";

export interface Recollection {
  memory: Memory;
  /** The account's open incident. */
  known: IncidentRecord | undefined;
  /** An incident that is over and still claimed as the open one: what closed it was cut. */
  leftOver: string | undefined;
}

export type Recalled =
  | { kind: "recalled"; recollection: Recollection }
  /** @property memory what was known by then: the incident could not be read. */
  | { kind: "failed"; why: string; memory: Memory | undefined };

/** What our own store knows of the account: one round trip, and another one where it has an open incident. */
export async function recall(responder: Responder, accountSid: string, identity: string): Promise<Recalled> {
  let memory: Memory | undefined;
  const reading = async () => {
    memory = await responder.store.recall(accountSid, identity);
    return recollect(responder, memory);
  };
  try {
    const read = await inTime(reading(), responder.recallMs);
    if (read.kind === "in-time") return { kind: "recalled", recollection: read.value };
    return { kind: "failed", why: `it did not answer within ${responder.recallMs} ms`, memory };
  } catch (error) {
    return { kind: "failed", why: messageOf(error), memory };
  }
}

/**
 * The account's open incident, if it has one: no round trip when it has none. Of a signal that was seen, too: it may come
 * back to have a suspension written down that happened without our store.
 */
async function recollect({ store }: Responder, memory: Memory): Promise<Recollection> {
  const { openIncidentId } = memory;
  const found = openIncidentId === null ? undefined : await store.load(openIncidentId);
  return found !== undefined && isOver(found.incident.state)
    ? { memory, known: undefined, leftOver: found.incident.id }
    : { memory, known: found, leftOver: undefined };
}
