import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * A keyed fingerprint of an auth token: tells later whether the account still has the same one, and nothing to whoever
 * reads it. Never the token itself, and no plain digest of it, which a guess could be checked against.
 */
export interface TokenMark {
  /** 128 bits, hexadecimal. */
  mark: string;
  /** Which key it was made with: marks of different keys cannot be compared. */
  key: string;
}

export interface Marking {
  /** The parent's auth token. */
  key: string;
  accountSid: string;
}

export function markOf(authToken: string, { key, accountSid }: Marking): TokenMark {
  return { mark: keyed(key, `auth-token of ${accountSid}: ${authToken}`), key: keyed(key, "the key itself") };
}

export function compareMarks(a: TokenMark, b: TokenMark): "same" | "changed" | "cannot-tell" {
  // The parent's own token was changed between them.
  if (!isEqual(a.key, b.key)) return "cannot-tell";
  return isEqual(a.mark, b.mark) ? "same" : "changed";
}

function keyed(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex").slice(0, 32);
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
