import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * A keyed fingerprint of an auth token: tells later whether the account still has the same one, and nothing to whoever
 * reads it. Never the token itself, and no plain digest of it, which a guess could be checked against.
 */
export interface TokenMark {
  /** 128 bits, hexadecimal. */
  mark: string;
  /** Which key it was made with, 64 bits, hexadecimal: marks of different keys cannot be compared. */
  key: string;
}

export interface Marking {
  /** The parent's auth token: the one secret that is there already, and that whoever reads incidents does not have. */
  key: string;
  accountSid: string;
}

/** Pure: the same token of the same account under the same key has the same mark, on every machine. */
export function markOf(authToken: string, { key, accountSid }: Marking): TokenMark {
  // Its own key, so that nothing else that is keyed with the parent's token says anything about a mark.
  const derived = hmac(key, "tollbreaker: marks of auth tokens");
  return { mark: hexOf(derived, `${accountSid}:${authToken}`, 128), key: hexOf(derived, "key", 64) };
}

export function compareMarks(a: TokenMark, b: TokenMark): "same" | "changed" | "cannot-tell" {
  // The parent's own token was changed between them.
  if (!isEqual(a.key, b.key)) return "cannot-tell";
  return isEqual(a.mark, b.mark) ? "same" : "changed";
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function hexOf(key: Buffer, text: string, bits: number): string {
  return hmac(key, text)
    .subarray(0, bits / 8)
    .toString("hex");
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
