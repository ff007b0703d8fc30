import { createHash } from "node:crypto";
import { isDecimal, subtract, sum } from "../decimal.ts";
import type { Limit, Policy } from "../policy/policy.ts";
import { allowanceOf, guardEnd, guardKey, probationEnd } from "../policy/probation.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { callbackUrl, LIMIT_PARAMETER, PROBATION_PARAMETER } from "./callback.ts";
import { callsUs, isMarked, isThere, MARK, type WantedTrigger } from "./wanted.ts";

/** With them the longest limit's name, 40 letters, fits into Twilio's 64. */
const PROBATION = " probation";
const INTERIM = " interim";

/**
 * What guards an account from the moment it is reactivated: "a UsageTrigger will fire once (at most) during its recurring
 * interval", so those that tripped will not trip again in their period. Each suspending limit gets one that fires once,
 * `+N` above what has been used until now, N being a share of the limit: whatever made it overspend may not be over.
 */
export function guardsFor(policy: Policy, accountSid: string, publicUrl: string, command: string): WantedTrigger[] {
  const { share } = policy.probation;
  return suspendingLimits(policy).map(([name, limit]) =>
    guardOf(name, limit, { policy, accountSid, publicUrl, command }, { name: PROBATION, share }),
  );
}

/** Those values that each of the guards counts from, by `guardKey`. @param there as Twilio lists what was created */
export function basesOf(guards: readonly WantedTrigger[], there: readonly UsageTrigger[]): Record<string, string> {
  return Object.fromEntries(
    guards.flatMap((wanted) => {
      const value = there.find((trigger) => isThere(trigger, wanted))?.triggerValue ?? "";
      return isDecimal(value) ? [[guardKey(wanted.limit, wanted), subtract(value, wanted.triggerValue)]] : [];
    }),
  );
}

export interface Guarded {
  policy: Policy;
  accountSid: string;
  publicUrl: string;
  /** ISO 8601 UTC. */
  lastReactivatedAt: string;
  /** What its guards count from, by `guardKey`. */
  bases: Readonly<Record<string, string>>;
}

/**
 * The guards that a reactivated account has to have by now. On probation a share of each limit; then, until the limit's
 * own trigger can fire again, the whole limit. With the value that the reactivation gave them, so that one that is made
 * anew allows no more than the first one did; `+N` only where that value is not known.
 */
export function guardsBy(now: Date, { policy, lastReactivatedAt, bases, ...account }: Guarded): WantedTrigger[] {
  const isOnProbation = now.getTime() <= probationEnd(lastReactivatedAt, policy);
  const phase = isOnProbation ? { name: PROBATION, share: policy.probation.share } : { name: INTERIM, share: "1" };
  return suspendingLimits(policy)
    .filter(([, limit]) => now.getTime() <= guardEnd(limit, lastReactivatedAt, policy))
    .map(([name, limit]) => guardOf(name, limit, { policy, ...account, command: lastReactivatedAt }, phase))
    .map((wanted) => countedFrom(bases[guardKey(wanted.limit, wanted)], wanted));
}

/** At the value that the reactivation gave it; `+N` where that is not known. */
export function countedFrom(base: string | undefined, wanted: WantedTrigger): WantedTrigger {
  return base === undefined ? wanted : { ...wanted, triggerValue: sum([base, wanted.triggerValue]) };
}

export function isGuard({ friendlyName }: Pick<UsageTrigger, "friendlyName">): boolean {
  return isMarked({ friendlyName }) && [PROBATION, INTERIM].some((end) => friendlyName.endsWith(end));
}

/** Whether it guards this limit, on probation or after it. */
export function isGuardOf({ friendlyName }: Pick<UsageTrigger, "friendlyName">, limit: string): boolean {
  return [PROBATION, INTERIM].some((end) => friendlyName === MARK + limit + end);
}

/** The address tells which reactivation, by a tag that only the responder knows: whatever it says there is right. */
export function isCallingUs(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  const tag = URL.canParse(trigger.callbackUrl) && new URL(trigger.callbackUrl).searchParams.get(PROBATION_PARAMETER);
  if (!tag) return false;
  const address = new URL(wanted.callbackUrl);
  address.searchParams.set(PROBATION_PARAMETER, tag);
  return callsUs(trigger, { callbackUrl: address.href });
}

type Making = Pick<Guarded, "policy" | "accountSid" | "publicUrl"> & { command: string };

function guardOf(name: string, limit: Limit, making: Making, phase: { name: string; share: string }): WantedTrigger {
  const { policy, accountSid, publicUrl, command } = making;
  const parameters = { [LIMIT_PARAMETER]: name, [PROBATION_PARAMETER]: tagOf(command) };
  return {
    limit: name,
    friendlyName: MARK + name + phase.name,
    callbackUrl: callbackUrl(publicUrl, parameters),
    usageCategory: limit.category,
    triggerBy: limit.by,
    triggerValue: `+${allowanceOf(name, limit, accountSid, policy, phase.share)}`,
    recurring: "",
  };
}

function suspendingLimits({ limits }: Policy): [string, Limit][] {
  return Object.entries(limits).filter(([, { then }]) => then === "suspend");
}

/** Short, because an address is limited; the same for each delivery of the command, so that no guard is made twice. */
function tagOf(command: string): string {
  return createHash("sha256").update(command).digest("hex").slice(0, 12);
}
