import type { WantedTrigger } from "../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";

type Caller = Pick<UsageTrigger, "callbackUrl" | "callbackMethod">;

/** Pure. How what a trigger calls differs from what it should, for a person: the whole address only where all of it does. */
export function differenceOf(
  { callbackUrl, callbackMethod }: Caller,
  wanted: Pick<WantedTrigger, "callbackUrl">,
): string {
  const method = callbackMethod.toUpperCase();
  const parts = [
    addressDifference(callbackUrl, wanted.callbackUrl),
    method === "POST" ? "" : `by ${method || "no method"}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Without what tells limits apart: the same for all triggers of one Tollbreaker. */
export function addressOf(url: string): string {
  return URL.canParse(url) ? endpointOf(new URL(url)) : url;
}

function addressDifference(listed: string, ours: string): string {
  if (addressOf(listed) !== addressOf(ours)) return `calls ${short(listed) || "nobody"}`;
  const [one, other] = [new URL(listed), new URL(ours)];
  if (one.search !== other.search) return `calls us with ${short(one.search) || "no query"} instead of ${other.search}`;
  // Twilio may leave the fragment out where it lists an address.
  if (one.hash === other.hash || one.hash === "") return "calls us";
  return `calls us with ${short(one.hash)} instead of ${other.hash}`;
}

function endpointOf({ protocol, username, password, host, pathname }: URL): string {
  const user = username === "" && password === "" ? "" : `${username}:${password}@`;
  return `${protocol}//${user}${host}${pathname}`;
}

function short(url: string): string {
  return url.length <= 60 ? url : `${url.slice(0, 59)}…`;
}
