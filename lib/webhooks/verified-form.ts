import { isAccountSid } from "../twilio/sids.ts";
import { type Form, isSignedWith, parseForm } from "../twilio/signature.ts";
import { decodeUtf8, type ReceivedRequest } from "./receive-webhook.ts";
import type { SigningTokens, TokenSearch } from "./signing-tokens.ts";

/**
 * From raw bytes to a form that is known to come from Twilio. Nothing in a request is believed, stored or logged before
 * its signature matches; the one thing used before is the AccountSid, to find the token it must be signed with.
 */
export type Verification =
  | { kind: "verified"; accountSid: string; form: Form }
  /** Not signed by the account it names. `why` is for the count, not for the sender. */
  | { kind: "refused"; why: string }
  /** Could not be decided now: the sender should try again. */
  | { kind: "undecided" };

export async function verifyForm(tokens: SigningTokens, received: ReceivedRequest): Promise<Verification> {
  if (received.signature === undefined || received.signature === "") return { kind: "refused", why: "unsigned" };
  const text = decodeUtf8(received.body);
  if (text === undefined) return { kind: "refused", why: "not-utf8" };
  const form = parseForm(text);
  const accountSid = claimedAccount(form);
  if (accountSid === undefined) return { kind: "refused", why: "no-account" };
  return checkSignature(tokens, accountSid, form, received);
}

async function checkSignature(
  tokens: SigningTokens,
  accountSid: string,
  form: Form,
  { url, signature }: ReceivedRequest,
): Promise<Verification> {
  const judge = (search: TokenSearch): Verification => {
    if (search.kind === "unknown") return { kind: "undecided" };
    if (search.kind === "not-ours") return { kind: "refused", why: "not-ours" };
    const isGenuine = isSignedWith(search.authToken, signature, { url, form });
    return isGenuine ? { kind: "verified", accountSid, form } : { kind: "refused", why: "wrong-signature" };
  };
  const first = await tokens.find(accountSid);
  const verdict = judge(first);
  if (first.kind !== "found" || verdict.kind === "verified") return verdict;
  return judge(await tokens.findAgain(accountSid, first));
}

/**
 * The account that a form says it is about: anybody's claim until the signature matches. A repeated AccountSid names
 * none: which of them the signature speaks for would be our guess.
 */
export function claimedAccount(form: Form): string | undefined {
  const [accountSid, ...others] = form.get("AccountSid") ?? [];
  return accountSid !== undefined && others.length === 0 && isAccountSid(accountSid) ? accountSid : undefined;
}
