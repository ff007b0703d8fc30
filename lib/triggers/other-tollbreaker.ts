import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { CALLBACK_PATH, LIMIT_PARAMETER } from "./callback.ts";
import { isGuardOf } from "./guards.ts";
import { isMarked, MARK } from "./wanted.ts";

/**
 * Where another Tollbreaker has its webhooks, if this trigger is one of its own: another stage on the same parent, or an earlier
 * region. It is marked as ours are, and calls the same path of another place for the limit that it is named after. Whoever holds
 * the account's auth token can make one: so it says nothing about what watches the account for us.
 * @returns its public URL, such as `https://abc123.execute-api.eu-west-1.amazonaws.com`; undefined where it is none
 */
export function otherTollbreaker(
  { friendlyName, callbackUrl }: Pick<UsageTrigger, "friendlyName" | "callbackUrl">,
  publicUrl: string,
): string | undefined {
  if (!isMarked({ friendlyName }) || !URL.canParse(callbackUrl)) return undefined;
  const { origin, pathname, searchParams } = new URL(callbackUrl);
  const limit = searchParams.get(LIMIT_PARAMETER);
  if (!pathname.endsWith(CALLBACK_PATH) || limit === null) return undefined;
  if (friendlyName !== MARK + limit && !isGuardOf({ friendlyName }, limit)) return undefined;
  const base = origin + pathname.slice(0, -CALLBACK_PATH.length);
  return base === baseOf(publicUrl) ? undefined : base;
}

/** Each of them once, in order. */
export function otherTollbreakers(triggers: readonly UsageTrigger[], publicUrl: string): string[] {
  return [...new Set(triggers.flatMap((trigger) => otherTollbreaker(trigger, publicUrl) ?? []))].sort();
}

/** All but another Tollbreaker's. */
export function withoutOthers(triggers: readonly UsageTrigger[], publicUrl: string): UsageTrigger[] {
  return triggers.filter((trigger) => otherTollbreaker(trigger, publicUrl) === undefined);
}

function baseOf(publicUrl: string): string {
  const { origin, pathname } = new URL(publicUrl);
  return origin + pathname.replace(/\/+$/, "");
}
