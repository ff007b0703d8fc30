import { cut } from "../cut.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { CALLBACK_PATH, LIMIT_PARAMETER, PROBATION_PARAMETER } from "./callback.ts";
import { isGuard } from "./guards.ts";
import { isMarked, MARK } from "./wanted.ts";

/**
 * Whether its firing is our business: it calls us, or it is marked as ours and somebody made it call another address.
 */
export function isOurs(trigger: UsageTrigger, publicUrl: string): boolean {
  return isMarked(trigger) || addressedToUs(trigger, publicUrl);
}

function addressedToUs({ callbackUrl }: UsageTrigger, publicUrl: string): boolean {
  const ours = publicUrl.replace(/\/+$/, "") + CALLBACK_PATH;
  return callbackUrl === ours || [`${ours}?`, `${ours}#`].some((start) => callbackUrl.startsWith(start));
}

/** The limit that a firing is about: as its callback's address says, or else its name. */
export function limitOf(trigger: UsageTrigger): string | null {
  const { callbackUrl, friendlyName } = trigger;
  const named = cut(parametersOf(callbackUrl).get(LIMIT_PARAMETER) ?? "", 64);
  if (named) return named;
  return isMarked(trigger) && !isGuard(trigger) ? friendlyName.slice(MARK.length) : null;
}

export function isOnProbation(trigger: UsageTrigger): boolean {
  const isOnce = trigger.recurring === "" || trigger.recurring === "alltime";
  return isOnce && (isGuard(trigger) || parametersOf(trigger.callbackUrl).has(PROBATION_PARAMETER));
}

// Whatever somebody wrote there.
function parametersOf(url: string): URLSearchParams {
  return URL.canParse(url) ? new URL(url).searchParams : new URLSearchParams();
}
