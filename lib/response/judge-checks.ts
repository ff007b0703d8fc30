import { createHash } from "node:crypto";
import type { Check } from "../incidents/checklist.ts";
import type { Containment } from "../incidents/incident.ts";
import { isThere, type WantedTrigger } from "../triggers/wanted.ts";
import type { ApiKey } from "../twilio/api-keys.ts";
import { describeFailure, type TwilioFailure } from "../twilio/failures.ts";
import { wordsForCode } from "../twilio/refusals.ts";
import { compareMarks, type TokenMark } from "../twilio/token-mark.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";

/** What each reading says about the account: pure, in words for a person. */

function cannotTell(id: Check["id"], why: string): Check {
  return { id, answer: "cannot-tell", why };
}

export function unread(id: Check["id"], what: string, failure: TwilioFailure): Check {
  return cannotTell(id, `${what} could not be read: ${describeFailure(failure)}`);
}

/** Any key may be in the wrong hands: those that were there, and those that were made meanwhile. */
export function judgeApiKeys(keys: readonly ApiKey[], openedAt: string): Check {
  if (keys.length === 0) return cannotTell("api-keys", `Twilio shows us no API key; ${UNSEEN}`);
  const made = keys.filter(({ dateCreated }) => dateCreated !== null && dateCreated >= wholeSecond(openedAt)).length;
  const parts = [`${keys.length - made} from before the incident`, `${made} made during it`];
  const sids = keys.map(({ sid }) => sid);
  const names = sids.slice(0, MOST_NAMED);
  const left = sids.length - names.length;
  const more = left === 0 ? "" : `, and ${left} more (together ${fingerprintOf(sids)})`;
  return { id: "api-keys", answer: "not-done", why: `${parts.join(", ")}: ${names.join(", ")}${more}` };
}

const MOST_NAMED = 5;

/** Whoever acknowledges more keys than are named acknowledges these, and not another one in the place of one of them. */
function fingerprintOf(sids: readonly string[]): string {
  return createHash("sha256").update(sids.toSorted().join()).digest("hex").slice(0, 10);
}

/** Its own credentials, which could read them, are refused while it is suspended. */
const UNSEEN = "restricted and main ones it shows to the account itself alone, once that is active";

export function judgeAuthToken(atContainment: TokenMark | null, now: TokenMark | null): Check {
  const id = "auth-token";
  if (now === null) return cannotTell(id, "Twilio does not show us the account's auth token");
  if (atContainment === null) return cannotTell(id, "it was not seen when the account was suspended");
  switch (compareMarks(atContainment, now)) {
    case "same":
      return { id, answer: "not-done", why: "it is still the one that the account had when it was suspended" };
    case "changed":
      return { id, answer: "done", why: "it was changed since the account was suspended" };
    case "cannot-tell":
      return cannotTell(id, "the parent's auth token, which keys the comparison, was changed meanwhile");
  }
}

export function judgeLiveCalls(live: number): Check {
  const id = "live-calls";
  return live === 0
    ? { id, answer: "done", why: "no call is live" }
    : { id, answer: "not-done", why: `${live === 1 ? "1 call is" : `${live} calls are`} still live, and costs money` };
}

/** @param guards how many the account will get when it comes back: one for each limit that suspends. */
export function judgeTriggers(
  triggers: readonly UsageTrigger[],
  wanted: readonly WantedTrigger[],
  guards: number,
): Check {
  const id = "triggers";
  if (guards === 0)
    return { id, answer: "not-done", why: "the policy has no limit that suspends: nothing will guard it" };
  const missing = wanted.filter((one) => !triggers.some((trigger) => isThere(trigger, one)));
  if (missing.length === 0)
    return { id, answer: "done", why: `all ${wanted.length} usage triggers are there and call us` };
  const names = missing.map(({ limit }) => limit).join(", ");
  return {
    id,
    answer: "not-done",
    why: `of ${wanted.length} usage triggers these are missing, or do not call us: ${names}`,
  };
}

/** Of an account that is not suspended, whatever its incident says. */
export function judgeActive(accountSid: string): Check {
  const why = `it is active: somebody set it so past Tollbreaker, and it may be spending; suspend it (tollbreaker suspend ${accountSid})`;
  return { id: "suspended-by", answer: "not-done", why };
}

export function judgeSuspendedBy(by: Containment["by"]): Check {
  const id = "suspended-by";
  switch (by) {
    case "tollbreaker":
      return { id, answer: "done", why: "Tollbreaker suspended it" };
    case "already-suspended":
      return cannotTell(id, "it was suspended when we came; who did it is not known");
    case "suspended-by-twilio":
      return { id, answer: "not-done", why: wordsForCode(21478) };
    case "closed":
      return { id, answer: "not-done", why: wordsForCode(21479) };
  }
}

/** Twilio's times have whole seconds. */
export function wholeSecond(at: string): string {
  return new Date(Math.floor(Date.parse(at) / 1000) * 1000).toISOString();
}
