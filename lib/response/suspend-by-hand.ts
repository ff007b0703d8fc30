import type { SuspendCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused } from "../incidents/coming-back.ts";
import type { Tripping } from "../incidents/record.ts";
import { wishOf } from "../incidents/wish.ts";
import { exemptionOf } from "../policy/exemption.ts";
import { enforce } from "./enforce.ts";
import { hold } from "./hold.ts";
import type { Recollection } from "./recollect.ts";
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
  const last = await lastReactivated(responder, current);
  const refusal = whyRefused(responder, command) ?? whyOvertaken(command, last);
  if (refusal !== undefined) return refuse(responder, command, current.known ?? last, refusal);
  const tripping: Tripping = { signal: command, rule: BY_HAND, reason: command.reason };
  const delivery = { signal: command, ...turn };
  switch (current.known?.incident.state) {
    case "suspended":
    case "reactivating":
      return hold(responder, delivery, current, tripping);
    default:
      return enforce(responder, delivery, current, tripping);
  }
}

/** The incident from which the account was brought back last; no round trip when it never was, or has tripped since. */
async function lastReactivated({ store }: Responder, { memory, known }: Recollection) {
  const { lastIncidentId, lastReactivatedAt } = memory;
  if (known !== undefined || lastReactivatedAt === null || lastIncidentId === null) return undefined;
  return store.load(lastIncidentId);
}

function whyRefused(
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

async function refuse(
  { store, log, clock }: Responder,
  command: SuspendCommand,
  told: IncidentRecord | undefined,
  why: string,
): Promise<IncidentRecord | undefined> {
  log.warn("command-refused", { accountSid: command.accountSid, command: command.id, why });
  return told === undefined ? undefined : store.save(commandRefused(told, wishOf(command), why, clock.now()));
}
