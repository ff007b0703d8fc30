import type { SuspendCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { incidentIdFor } from "../incidents/record.ts";
import { exemptionOf } from "../policy/exemption.ts";
import { enforce } from "./enforce.ts";
import { hold } from "./hold.ts";
import type { Recollection } from "./recollect.ts";
import { refuseByHand } from "./refuse-by-hand.ts";
import type { Order, Responder } from "./responder.ts";
import { whyOvertaken } from "./stale-command.ts";

/** The rule of an incident that a person opened. */
const BY_HAND = "by hand";

/** A person wants the account suspended, whatever was decided before. */
export async function suspendByHand(
  responder: Responder,
  order: Order<SuspendCommand>,
  current: Recollection,
): Promise<IncidentRecord | undefined> {
  const { command, ...turn } = order;
  const answered = await answeredBefore(responder, command, current);
  if (answered !== undefined) return over(responder, answered);
  const last = await lastReactivated(responder, current);
  const refusal = whyRefused(responder, command) ?? whyOvertaken(command, last);
  const tripping = trippingBy(command);
  if (refusal !== undefined) return refuseByHand(responder, tripping, current.known ?? last, refusal);
  const delivery = { signal: command, ...turn };
  switch (current.known?.incident.state) {
    case "suspended":
    case "reactivating":
      return hold(responder, delivery, current, tripping);
    default:
      return over(responder, await enforce(responder, delivery, current, tripping));
  }
}

function trippingBy(command: SuspendCommand) {
  return { signal: command, rule: BY_HAND, isNamed: true, reason: command.reason };
}

/** What an earlier delivery, which was cut, left of a refusal; no round trip in a first one. */
async function answeredBefore({ store }: Responder, command: SuspendCommand, { memory, known }: Recollection) {
  const id = incidentIdFor(command);
  if (known !== undefined || memory.lastIncidentId !== id) return undefined;
  const found = await store.load(id);
  return found?.incident.state === "dismissed" ? found : undefined;
}

/** An incident that only says that the account is none of ours is not that account's open one. */
async function over({ store, log }: Responder, record: IncidentRecord): Promise<IncidentRecord> {
  const { state, accountSid, id, reason } = record.incident;
  if (state !== "dismissed") return record;
  log.warn("command-refused", { accountSid, incident: id, why: reason });
  await store.release(accountSid, id, null);
  return record;
}

/** The incident from which the account was brought back last; no round trip when it never was, or has tripped since. */
async function lastReactivated({ store }: Responder, { memory, known }: Recollection) {
  const { lastIncidentId, lastReactivatedAt } = memory;
  if (known !== undefined || lastReactivatedAt === null || lastIncidentId === null) return undefined;
  return store.load(lastIncidentId);
}

/** What the policy says against it, and the operator did not acknowledge; undefined where nothing does. */
export function whyRefused(
  { policy, twilio, clock }: Responder,
  { accountSid, acknowledge }: SuspendCommand,
): string | undefined {
  if (accountSid === twilio.accountSid) return "the parent account cannot be suspended";
  const exemption = exemptionOf(accountSid, policy, clock.now());
  if (exemption !== undefined && !acknowledge.includes("exempt")) {
    return `the policy exempts the account (${exemption}): acknowledge it with exempt`;
  }
  if (policy.mode === "observe" && !acknowledge.includes("observe-mode")) {
    return "in observe mode nothing is suspended: acknowledge it with observe-mode";
  }
  return undefined;
}
