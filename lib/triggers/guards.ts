import { createHash } from "node:crypto";
import { compare, isDecimal, subtract, sum } from "../decimal.ts";
import type { Limit, Policy } from "../policy/policy.ts";
import {
  allowanceOf,
  type GuardCounts,
  guardBases,
  guardEnd,
  guardKey,
  interimOf,
  periodEnd,
  probationEnd,
} from "../policy/probation.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { callbackUrl, LIMIT_PARAMETER, PROBATION_PARAMETER } from "./callback.ts";
import { callsUs, isMarked, isThere, MARK, type WantedTrigger, watchesTheSame } from "./wanted.ts";

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

export interface Guarded extends GuardCounts {
  policy: Policy;
  accountSid: string;
  publicUrl: string;
}

/**
 * The guards that an account has to have by now. After a reactivation: on probation a share of each limit; then, until the
 * limit's own trigger can fire again, the whole limit. Where it was left running with a limit spent: the whole limit. With
 * the value that they were given first, so that one that is made anew allows no more; `+N` only where that is not known.
 */
export function guardsBy(now: Date, { lastReactivatedAt, passed, interims, ...account }: Guarded): WantedTrigger[] {
  const counts = { lastReactivatedAt, passed, interims };
  const bases = guardBases(account.policy, counts);
  return suspendingLimits(account.policy)
    .flatMap(([name, limit]) => guardBy(now, name, limit, { ...account, ...counts }) ?? [])
    .map((wanted) => countedFrom(bases[guardKey(wanted.limit, wanted)], wanted));
}

function guardBy(now: Date, name: string, limit: Limit, guarded: Guarded): WantedTrigger | undefined {
  const { policy, lastReactivatedAt } = guarded;
  const interim = interimOf(name, limit, guarded);
  if (interim !== undefined) {
    const isOver = now.getTime() > periodEnd(limit.every, new Date(interim.since));
    return isOver ? undefined : interimGuard(name, limit, { ...guarded, command: interim.since });
  }
  if (lastReactivatedAt === null || now.getTime() > guardEnd(limit, lastReactivatedAt, policy)) return undefined;
  const making = { ...guarded, command: lastReactivatedAt };
  const isOnProbation = now.getTime() <= probationEnd(lastReactivatedAt, policy);
  if (!isOnProbation) return interimGuard(name, limit, making);
  return guardOf(name, limit, making, { name: PROBATION, share: policy.probation.share });
}

/** The whole limit on top of what has been used by now. @param making.command what its tag is made of */
export function interimGuard(name: string, limit: Limit, making: Making): WantedTrigger {
  return guardOf(name, limit, making, { name: INTERIM, share: "1" });
}

/**
 * Whether it is one that has not fired, and watches what this one would: by its numbers. Its name proves nothing: whoever
 * holds the account's auth token can make one of the same name that never fires. From its creation on the distance to a
 * value that was `+N` only shrinks.
 */
export function standsFor(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  const { triggerValue, currentValue, dateFired } = trigger;
  if (!isGuardOf(trigger, wanted.limit) || !watchesTheSame(trigger, wanted) || dateFired !== null) return false;
  if (!isDecimal(triggerValue) || !isCallingUs(trigger, wanted)) return false;
  if (!wanted.triggerValue.startsWith("+")) return compare(triggerValue, wanted.triggerValue) <= 0;
  return isDecimal(currentValue) && compare(subtract(triggerValue, currentValue), wanted.triggerValue.slice(1)) <= 0;
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

export type Making = Pick<Guarded, "policy" | "accountSid" | "publicUrl"> & { command: string };

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

export function suspendingLimits({ limits }: Policy): [string, Limit][] {
  return Object.entries(limits).filter(([, { then }]) => then === "suspend");
}

/** Short, because an address is limited; the same for each delivery of the command, so that no guard is made twice. */
function tagOf(command: string): string {
  return createHash("sha256").update(command).digest("hex").slice(0, 12);
}
