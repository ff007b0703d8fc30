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

/** The account's open incident, if it has one: no round trip when it has none. */
export async function recollect({ store }: Responder, memory: Memory): Promise<Recollection> {
  const openId = memory.seen ? null : memory.openIncidentId;
  const found = openId === null ? undefined : await store.load(openId);
  return found !== undefined && isOver(found.incident.state)
    ? { memory, known: undefined, leftOver: found.incident.id }
    : { memory, known: found, leftOver: undefined };
}
