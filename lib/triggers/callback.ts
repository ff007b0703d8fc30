/**
 * The address that a usage trigger calls. Its query is part of what Twilio signs, so nobody but the holder of the
 * account's auth token can make one up, or change it on the way.
 */
export const CALLBACK_PATH = "/webhooks/usage-trigger";

/** Names the policy's limit. */
export const LIMIT_PARAMETER = "limit";
/** Says that the trigger guards a reactivated account, by a smaller value than the limit's; its value tells which reactivation. */
export const PROBATION_PARAMETER = "probation";

/**
 * Twilio itself tries harder than its three quick retries after a 5xx: five times, also when we can't be reached, and after
 * a 4xx: where the gateway throttles, its 429 never reaches us. The fragment stays out of the request and of the signature.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
const CONNECTION_OVERRIDES = "#rc=5&rp=4xx,5xx,ct,rt";

export function callbackUrl(publicUrl: string, parameters: Readonly<Record<string, string>>): string {
  return `${publicUrl.replace(/\/+$/, "")}${CALLBACK_PATH}?${new URLSearchParams(parameters)}${CONNECTION_OVERRIDES}`;
}
