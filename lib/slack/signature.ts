import { createHmac, timingSafeEqual } from "node:crypto";

/** What Slack sends beside the body: https://docs.slack.dev/authentication/verifying-requests-from-slack */
export interface SlackSignature {
  /** The header X-Slack-Request-Timestamp: seconds since the epoch. */
  timestamp: string | undefined;
  /** The header X-Slack-Signature. */
  signature: string | undefined;
}

export type SlackVerification = { kind: "genuine" } | { kind: "refused"; why: "unsigned" | "stale" | "forged" };

/** Older than this, it may be a request that somebody recorded. */
const WINDOW_S = 5 * 60;

/** Whether Slack sent these very bytes, within the last five minutes. Compares in constant time. */
export function verifySlack(
  signingSecret: string,
  body: Uint8Array,
  { timestamp, signature }: SlackSignature,
  now: Date,
): SlackVerification {
  if (timestamp === undefined || signature === undefined || signingSecret === "")
    return { kind: "refused", why: "unsigned" };
  // Nothing but digits: what Number would also read (0x10, 1e9, an empty text) Slack never sends.
  if (!/^\d{1,12}$/.test(timestamp)) return { kind: "refused", why: "unsigned" };
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > WINDOW_S) return { kind: "refused", why: "stale" };
  const isGenuine = isEqual(signature, signForSlack(signingSecret, timestamp, body));
  return isGenuine ? { kind: "genuine" } : { kind: "refused", why: "forged" };
}

/** The X-Slack-Signature that Slack would send: for the tests and for whatever plays Slack. */
export function signForSlack(signingSecret: string, timestamp: string, body: Uint8Array | string): string {
  return `v0=${createHmac("sha256", signingSecret).update(`v0:${timestamp}:`).update(body).digest("hex")}`;
}

function isEqual(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}
