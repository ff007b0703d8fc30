import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isGuard } from "./guards.ts";
import { callsUs, isMarked, isWanted, type WantedTrigger } from "./wanted.ts";

/** What has to be done so that an account carries exactly the wanted usage triggers. */
export interface TriggerPlan {
  accountSid: string;
  /** Those that are missing, whether they never were there or were removed or changed by somebody. */
  create: readonly WantedTrigger[];
  /** Those that watch the right thing and do not call us. */
  update: readonly { trigger: UsageTrigger; wanted: WantedTrigger }[];
  /** Ours that nobody wants any more: another value, another limit, a twin. Removed last. */
  remove: readonly UsageTrigger[];
  /** Those that are as wanted. */
  keep: readonly UsageTrigger[];
  /** Why not all of it can be carried out; undefined when it can. */
  problem: string | undefined;
}

/** "Each account can create up to 1,000 UsageTriggers": https://www.twilio.com/docs/usage/api/usage-trigger */
export const MOST_TRIGGERS = 1000;

/**
 * Pure. Only triggers whose FriendlyName marks them as ours are ever touched. "You cannot update the category or value of
 * an existing UsageTrigger": such a one is replaced, the new one created before the old one is removed. Those that guard
 * a reactivated account are another story's: they stay.
 * @param isAnothers whether it is another Tollbreaker's (`otherTollbreaker`): those stay, too. Left out, they are taken over.
 */
export function planTriggers(
  accountSid: string,
  existing: readonly UsageTrigger[],
  wanted: readonly WantedTrigger[],
  isAnothers: (trigger: UsageTrigger) => boolean = () => false,
): TriggerPlan {
  const ours = existing.filter((trigger) => isMarked(trigger) && !isGuard(trigger) && !isAnothers(trigger));
  const matches = wanted.map((one) => ({ wanted: one, trigger: bestOf(ours, one) }));
  const found = matches.flatMap(({ wanted, trigger }) => (trigger === undefined ? [] : [{ wanted, trigger }]));
  const create = matches.filter(({ trigger }) => trigger === undefined).map(({ wanted }) => wanted);
  const update = found.filter(({ wanted, trigger }) => !callsUs(trigger, wanted));
  const keep = found.filter(({ wanted, trigger }) => callsUs(trigger, wanted)).map(({ trigger }) => trigger);
  const used = new Set(found.map(({ trigger }) => trigger.sid));
  const remove = ours.filter(({ sid }) => !used.has(sid));
  const total = existing.length + create.length;
  const problem =
    total > MOST_TRIGGERS
      ? `it has ${existing.length} usage triggers and needs ${create.length} more, and Twilio allows ${MOST_TRIGGERS}: delete some that are not needed`
      : undefined;
  return { accountSid, create, update, remove, keep, problem };
}

export function isNothing({ create, update, remove }: TriggerPlan): boolean {
  return create.length + update.length + remove.length === 0;
}

/** Of several that watch the same, the one that is right already; or the first by its name, so that limits never swap. */
function bestOf(ours: readonly UsageTrigger[], wanted: WantedTrigger): UsageTrigger | undefined {
  const candidates = ours.filter((trigger) => isWanted(trigger, wanted) && isOfLimit(trigger, wanted));
  return candidates.find((trigger) => callsUs(trigger, wanted)) ?? candidates[0];
}

// Two limits may watch the same at the same value (one warns, one suspends): each has a trigger of its own.
function isOfLimit({ friendlyName }: UsageTrigger, wanted: WantedTrigger): boolean {
  return friendlyName === wanted.friendlyName;
}
