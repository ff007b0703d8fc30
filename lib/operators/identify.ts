import { timingSafeEqual } from "node:crypto";
import { hashOf } from "./operator-token.ts";
import { isExpired, type Operator } from "./operators.ts";

/** Who presented a token, or why nobody is let in. */
export type Identity = { kind: "operator"; operator: Operator } | Unidentified;

export type Unidentified =
  | { kind: "no-token" }
  /** `scheme` is its name; null where what came can't be one, and may be a token. */
  | { kind: "other-scheme"; scheme: string | null }
  | { kind: "unknown-token" }
  | { kind: "expired-token"; operator: Operator };

/** Finds whose token this `Authorization` header presents at `now`. */
export function identify(authorization: string | undefined, operators: readonly Operator[], now: Date): Identity {
  if (authorization === undefined) return { kind: "no-token" };
  const scheme = schemeOf(authorization);
  if (scheme?.toLowerCase() !== "bearer") return { kind: "other-scheme", scheme };
  const token = bearerToken(authorization);
  if (token === undefined) return { kind: "unknown-token" };
  const operator = ownerOf(token, operators);
  if (operator === undefined) return { kind: "unknown-token" };
  return isExpired(operator, now) ? { kind: "expired-token", operator } : { kind: "operator", operator };
}

// Those that browsers and tools send: https://www.iana.org/assignments/http-authschemes. Another word may be a secret.
const SCHEMES = /^(Bearer|Basic|Digest|Negotiate|NTLM|OAuth|Token|ApiKey|AWS4-HMAC-SHA256)(?: |$)/i;

function schemeOf(authorization: string): string | null {
  return SCHEMES.exec(authorization)?.[1] ?? null;
}

// RFC 6750, section 2.1; the scheme's name is case-insensitive by RFC 9110. Two headers arrive joined by a comma, which
// no token contains, so they never match.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

function bearerToken(authorization: string): string | undefined {
  return BEARER.exec(authorization)?.[1];
}

// Compares with everyone, even after a match: the time taken tells neither whose token was close nor how many there are
// before it. The hashes are of equal length, which timingSafeEqual requires.
function ownerOf(token: string, operators: readonly Operator[]): Operator | undefined {
  const presented = hashOf(token);
  const [owner] = operators.filter(({ sha256 }) => timingSafeEqual(presented, sha256));
  return owner;
}
