import { MARK, type WantedTrigger } from "../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { differenceOf } from "./difference.ts";
import { reached } from "./reached.ts";
import type { Surveyed } from "./survey.ts";

/** One thing that is to be done to an account's triggers. Values are decimal strings. */
export type Change =
  | { kind: "create"; limit: string; value: string; reached: string | null }
  /** A value and a category can't be updated: a new one is created, then the old one removed. */
  | { kind: "replace"; limit: string; value: string; old: string; reached: string | null }
  /** It calls somebody else, or us in another way. */
  | { kind: "update"; limit: string; value: string; calls: string; differs: string }
  | { kind: "remove"; limit: string; value: string };

/** What the plan comes to, as a person thinks of it. */
export function changesOf(surveyed: Surveyed): Change[] {
  const { create, update, remove } = surveyed.plan;
  const oldOf = (wanted: WantedTrigger) => remove.find(({ friendlyName }) => friendlyName === wanted.friendlyName);
  const replaced = new Set(create.map((wanted) => oldOf(wanted)?.sid));
  return [
    ...create.map((wanted) => creation(surveyed, wanted, oldOf(wanted))),
    ...update.map(({ trigger, wanted }) => ({
      kind: "update" as const,
      limit: wanted.limit,
      value: wanted.triggerValue,
      calls: trigger.callbackUrl,
      differs: differenceOf(trigger, wanted),
    })),
    ...remove
      .filter(({ sid }) => !replaced.has(sid))
      .map((trigger) => ({ kind: "remove" as const, limit: limitOf(trigger), value: trigger.triggerValue })),
  ];
}

function creation(surveyed: Surveyed, wanted: WantedTrigger, old: UsageTrigger | undefined): Change {
  const { limit, triggerValue: value } = wanted;
  const now = reached(surveyed.triggers, wanted) ?? null;
  return old === undefined
    ? { kind: "create", limit, value, reached: now }
    : { kind: "replace", limit, value, old: watched(old, wanted), reached: now };
}

// The value alone, unless something else differs.
function watched(old: UsageTrigger, wanted: WantedTrigger): string {
  const isSame = old.usageCategory === wanted.usageCategory && old.triggerBy === wanted.triggerBy;
  const about = isSame && old.recurring === wanted.recurring ? [] : [old.usageCategory, old.triggerBy, old.recurring];
  return [old.triggerValue, ...about.map((word) => word || "once")].join(" ");
}

/** The limit that one of ours is named after. */
function limitOf({ friendlyName }: Pick<UsageTrigger, "friendlyName">): string {
  return friendlyName.startsWith(MARK) ? friendlyName.slice(MARK.length) : friendlyName;
}

export interface Summary {
  accounts: number;
  /** Accounts that carry what they should. */
  inOrder: number;
  /** Triggers. */
  create: number;
  update: number;
  replace: number;
  remove: number;
  /** Accounts that can't be brought in order. */
  problems: number;
  /** Accounts that could not be read. */
  unread: number;
}

export function countKinds(changes: readonly Change[]): Readonly<Record<Change["kind"], number>> {
  const count = (wanted: Change["kind"]) => changes.filter(({ kind }) => kind === wanted).length;
  return {
    create: count("create"),
    update: count("update"),
    replace: count("replace"),
    remove: count("remove"),
  };
}
