import { isDecimal, subtract, withoutTrailingZeros } from "../decimal.ts";
import type { Memory } from "../incidents/store.ts";
import type { Policy } from "../policy/policy.ts";
import { allowanceOf, guardBases, guardKey, hasGuardValue, type InterimCounts } from "../policy/probation.ts";
import { standsFor, suspendingLimits } from "../triggers/guards.ts";
import { type SpentLimit, spentLimits } from "../triggers/spent-limits.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import { wordsFor } from "../twilio/refusals.ts";
import { listUsageTriggers, type UsageTrigger } from "../twilio/usage-triggers.ts";
import { createMissing } from "./coming-back/create-missing.ts";
import { noSightings } from "./coming-back/trigger-sightings.ts";
import type { Responder } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";

const REQUEST_TIMEOUT_MS = 4000;

export interface Standing {
  /** What watches the account from now on, in words for a person. */
  words: string;
  /** Whether a guard was made, or is counted from now on. */
  isNew: boolean;
  /** Why it has no guard yet, where it needs one: the sweep makes it; undefined when it has all. */
  failure?: string;
}

/**
 * An account goes on running although limits of it are spent: each gets a guard that fires once the whole limit was used
 * on top of what has been by now, or keeps the one that it has. What it counts from is kept, so that a firing of it is
 * known for what it is, and it can be made anew. Repeatable: that it is about to be made is kept first.
 * @throws what the store throws
 */
export async function standGuards(
  responder: Responder,
  accountSid: string,
  memory: Pick<Memory, "lastReactivatedAt" | "passed" | "interims">,
  until: Until,
): Promise<Standing> {
  const { store, policy, publicUrl, clock } = responder;
  const twilio = limitedTo(responder.twilio, until);
  const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (list.kind === "failed") return notStanding(`its usage triggers could not be read: ${wordsFor(list.failure)}`);
  const now = clock.now();
  const spent = spentLimits(list.body, { accountSid, policy, publicUrl, now });
  const unguarded = spent.filter(({ guard }) => guard === undefined);
  const uncounted = spent.filter((one) => !isCounted(one, accountSid, responder, memory));
  if (uncounted.length === 0) return { words: inWords(spent, policy), isNew: false };

  const begun = { ...memory.interims, ...countsOf(uncounted, undefined, { responder, accountSid, now }) };
  await store.noteInterims(accountSid, begun);
  const wanted = unguarded.map((one) => one.wanted);
  const creation = await createMissing({ twilio, accountSid, until, sightings: noSightings() }, wanted);
  if (creation.kind === "failed") return notStanding(creation.why);
  const standing = spent.map((one) => ({ ...one, guard: one.guard ?? creation.there.find(isFor(one)) }));
  const counted = standing.filter(({ name }) => uncounted.some((one) => one.name === name));
  await store.noteInterims(accountSid, { ...begun, ...countsOf(counted, begun, { responder, accountSid, now }) });
  return { words: inWords(standing, policy), isNew: true };
}

function notStanding(failure: string): Standing {
  return {
    words: `whether a guard watches it is not known (${failure}): the next sweep makes one`,
    isNew: false,
    failure,
  };
}

function isFor({ wanted }: SpentLimit) {
  return (trigger: UsageTrigger) => standsFor(trigger, wanted);
}

function isCounted(
  { name, guard }: SpentLimit,
  accountSid: string,
  { policy }: Responder,
  memory: Pick<Memory, "lastReactivatedAt" | "passed" | "interims">,
): boolean {
  const bases = guardBases(policy, memory);
  return guard !== undefined && hasGuardValue(name, guard, { accountSid, policy, bases });
}

/** @param before those that were kept by now: a limit's guard counts from one time on */
function countsOf(
  spent: readonly SpentLimit[],
  before: InterimCounts | undefined,
  { responder, accountSid, now }: { responder: Responder; accountSid: string; now: Date },
): InterimCounts {
  const { policy } = responder;
  const counts = spent.map(({ name, limit, guard }) => {
    const key = guardKey(name, { usageCategory: limit.category, triggerBy: limit.by });
    const allowed = allowanceOf(name, limit, accountSid, policy, "1");
    const base = guard !== undefined && isDecimal(guard.triggerValue) ? subtract(guard.triggerValue, allowed) : null;
    return [key, { since: before?.[key]?.since ?? now.toISOString(), base }] as const;
  });
  return Object.fromEntries(counts);
}

/** Which limit is silent until when, and what watches it meanwhile, from which value on. */
function inWords(spent: readonly SpentLimit[], policy: Policy): string {
  if (suspendingLimits(policy).length === 0) return "the policy has no limit that suspends: nothing guards it";
  if (spent.length === 0) return "no limit is spent: each one's own trigger watches it";
  return spent.map(limitInWords).join("; ");
}

function limitInWords({ name, own, until, guard }: SpentLimit): string {
  const silent = until === null ? "for good" : `until ${until.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const spent = `${name} has fired at ${shown(own.triggerValue)} and is spent ${silent}`;
  if (guard === undefined) return `${spent}; nothing stands for it yet: the next sweep makes a guard`;
  return `${spent}; its guard fires once ${left(guard)} more was used (${name} is at ${shown(own.currentValue)} now)`;
}

function left({ triggerValue, currentValue }: UsageTrigger): string {
  return isDecimal(triggerValue) && isDecimal(currentValue)
    ? withoutTrailingZeros(subtract(triggerValue, currentValue))
    : "too much";
}

function shown(value: string): string {
  return isDecimal(value) ? withoutTrailingZeros(value) : value;
}
