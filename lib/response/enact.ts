import type { Signal } from "../inbox/messages.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { joined, toldNotUnderstood } from "../incidents/record.ts";
import type { Verdict } from "../policy/decide.ts";
import type { Confirmation } from "../policy/policy.ts";
import type { Case } from "./case.ts";
import { confirmUsage } from "./confirm-usage.ts";
import { enforce } from "./enforce.ts";
import { foundSuspended } from "./found-suspended.ts";
import { hold } from "./hold.ts";
import { CONFIRMATION_SHARE, type Delivery, type Responder, share } from "./responder.ts";
import { tell } from "./tell.ts";

/** Does what was decided, and records it. Undefined when no incident is concerned. */
export async function enact(
  responder: Responder,
  delivery: Delivery<Signal>,
  { verdict, ...current }: Case & { verdict: Verdict },
): Promise<IncidentRecord | undefined> {
  const { reason, rule, isNamed } = verdict;
  const tripping = { signal: delivery.signal, rule, isNamed, reason };
  switch (verdict.kind) {
    case "suspend":
      return verdict.confirm === null
        ? enforce(responder, delivery, current, tripping)
        : enforceIfConfirmed(responder, delivery, current, verdict, verdict.confirm);
    case "hold":
      return hold(responder, delivery, current, tripping);
    case "alert":
      return unlessSuspended(responder, delivery, current, () => tell(responder, current, tripping, verdict));
    case "join":
      return unlessSuspended(responder, delivery, current, () => join(responder, delivery, current, reason));
    case "ignore":
      return unlessSuspended(responder, delivery, current, async () => undefined);
  }
}

/** Whatever leaves the account running first looks for what an earlier try asked for. */
async function unlessSuspended<T>(
  responder: Responder,
  delivery: Delivery<Signal>,
  current: Case,
  otherwise: () => Promise<T>,
): Promise<IncidentRecord | T> {
  return (await foundSuspended(responder, delivery, current)) ?? otherwise();
}

async function enforceIfConfirmed(
  responder: Responder,
  delivery: Delivery<Signal>,
  current: Case,
  { reason, rule, isNamed }: Verdict,
  confirmation: Confirmation,
): Promise<IncidentRecord> {
  const { signal } = delivery;
  const until = share(responder, delivery, CONFIRMATION_SHARE);
  const usage = await confirmUsage(responder.twilio, signal.accountSid, confirmation, until);
  const tripping = { signal, rule, isNamed, reason: `${reason}; ${usage.why}` };
  if (usage.kind === "agrees") return enforce(responder, delivery, current, tripping);
  const alert = { about: "alerted", because: "unconfirmed" } as const;
  return unlessSuspended(responder, delivery, current, () => tell(responder, current, tripping, alert));
}

/** A signal of an account without an open incident is old news: it joins the last one. */
async function join(
  { store, clock }: Responder,
  { signal }: Delivery<Signal>,
  { memory, known }: Case,
  reason: string,
): Promise<IncidentRecord | undefined> {
  const { lastIncidentId } = memory;
  const found = known ?? (lastIncidentId === null ? undefined : await store.load(lastIncidentId));
  if (found === undefined) return undefined;
  const now = clock.now();
  const stored = await store.change(found, (record) => {
    const change = joined(record, signal, reason, now);
    const isTold = signal.kind === "not-understood" && known !== undefined;
    return isTold ? { ...change, record: toldNotUnderstood(change.record, signal.problem, now) } : change;
  });
  return known === undefined ? undefined : stored;
}
