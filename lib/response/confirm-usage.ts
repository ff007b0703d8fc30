import { compare, isDecimal, withoutTrailingZeros } from "../decimal.ts";
import type { Confirmation } from "../policy/policy.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
import { readUsageToday } from "../twilio/usage-records.ts";
import { limitedTo } from "./time-limit.ts";

/** What the account's usage of today says to a suspicion. `why` is for people. */
export interface Confirmed {
  kind: "agrees" | "disagrees" | "unreadable";
  why: string;
}

const REQUEST_TIMEOUT_MS = 3000;

/**
 * Errors can be caused by strangers, money cannot: so a rule on errors asks today's Usage Records before it suspends.
 * They lag behind; what they do not show yet, the account's usage triggers will.
 */
export async function confirmUsage(
  twilio: TwilioClient,
  accountSid: string,
  { category, by, at }: Confirmation,
  until: Until,
): Promise<Confirmed> {
  const inTime = limitedTo(twilio, until);
  const answer = await retrying(() => readUsageToday(inTime, accountSid, category, REQUEST_TIMEOUT_MS), until);
  if (answer.kind === "failed") {
    return { kind: "unreadable", why: `Usage Records could not be read (${describeFailure(answer.failure)})` };
  }
  // No record at all: nothing was used today.
  const value = answer.body === undefined ? "0" : answer.body[by];
  if (value === null || !isDecimal(value))
    return { kind: "unreadable", why: `Usage Records show no ${by} of ${category}` };
  const kind = compare(value, at) >= 0 ? "agrees" : "disagrees";
  return {
    kind,
    why: `Usage Records of today: ${category} by ${by} is ${withoutTrailingZeros(value)}, the rule asks for ${at}`,
  };
}
