import { isAccountSid } from "../twilio/sids.ts";
import { type Form, formCheck, parseForm, type SignatureCheck } from "../twilio/signature.ts";
import { decodeUtf8, type ReceivedRequest } from "./receive-webhook.ts";
import type { SigningTokens, Undecided } from "./signing-tokens.ts";

/** A form as it came: everything in it is anybody's claim until its signature matches. */
export interface ReceivedForm {
  form: Form;
  /** The account that it says it is about, and whose token it must be signed with. */
  accountSid: string;
  isSignedWith: SignatureCheck;
}

/** Why a request can't be genuine, in a word for the count; the sender is not told. */
export interface Refusal {
  kind: "refused";
  why: string;
}

/** Reads a request once, for all who check its signature. */
export function readForm({ body, url, signature }: ReceivedRequest): ({ kind: "form" } & ReceivedForm) | Refusal {
  if (signature === undefined || signature === "") return { kind: "refused", why: "unsigned" };
  const text = decodeUtf8(body);
  if (text === undefined) return { kind: "refused", why: "not-utf8" };
  const form = parseForm(text);
  const accountSid = claimedAccount(form);
  if (accountSid === undefined) return { kind: "refused", why: "no-account" };
  return { kind: "form", form, accountSid, isSignedWith: formCheck(signature, { url, form }) };
}

export type FormVerification = { kind: "verified" } | Refusal | Undecided;

/**
 * Whether the account that the form is about signed it. Nothing in it is believed, stored or logged before; the one thing
 * used is the AccountSid, to find the token.
 */
export async function verifyForm(
  tokens: SigningTokens,
  { accountSid, isSignedWith }: ReceivedForm,
): Promise<FormVerification> {
  const verdict = await tokens.check(accountSid, isSignedWith);
  switch (verdict.kind) {
    case "signed":
      return { kind: "verified" };
    case "not-signed":
      return { kind: "refused", why: "wrong-signature" };
    case "not-ours":
      return { kind: "refused", why: "not-ours" };
    case "undecided":
      return verdict;
  }
}

// A repeated AccountSid names none: which of them the signature speaks for would be our guess.
function claimedAccount(form: Form): string | undefined {
  const [accountSid, ...others] = form.get("AccountSid") ?? [];
  return accountSid !== undefined && others.length === 0 && isAccountSid(accountSid) ? accountSid : undefined;
}
