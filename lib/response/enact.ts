import { type IncidentRecord, joined, toldNotUnderstood } from "../incidents/record.ts";
import type { Verdict } from "../policy/decide.ts";
import type { Case } from "./case.ts";
import { enforce } from "./enforce.ts";
import { hold } from "./hold.ts";
import type { Delivery, Responder } from "./responder.ts";
import { tell } from "./tell.ts";

/** Does what was decided, and records it. Undefined when no incident is concerned. */
export async function enact(
  responder: Responder,
  delivery: Delivery,
  { verdict, ...current }: Case & { verdict: Verdict },
): Promise<IncidentRecord | undefined> {
  switch (verdict.kind) {
    case "suspend":
      return enforce(responder, delivery, current, verdict.reason);
    case "hold":
      return hold(responder, delivery, current, verdict.reason);
    case "alert":
      return tell(responder, delivery, current, verdict);
    case "join":
      return join(responder, delivery, current, verdict.reason);
  }
}

/** A signal of an account without an open incident is old news: it joins the last one. */
async function join(
  { store, clock }: Responder,
  { signal }: Delivery,
  { memory, known }: Case,
  reason: string,
): Promise<IncidentRecord | undefined> {
  const { lastIncidentId } = memory;
  const record = known ?? (lastIncidentId === null ? undefined : await store.load(lastIncidentId));
  if (record === undefined) return undefined;
  const now = clock.now();
  const change = joined(record, signal, reason, now);
  const isTold = signal.kind === "not-understood" && known !== undefined;
  const next = isTold ? toldNotUnderstood(change.record, signal.problem, now) : change.record;
  // Nothing is written when nothing changed, as in a repeated delivery.
  const stored = next === record ? record : await store.save({ ...change, record: next });
  return known === undefined ? undefined : stored;
}
