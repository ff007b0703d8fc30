import { isAccountSid } from "../twilio/sids.ts";
import { type Form, isSignedWith, parseForm } from "../twilio/signature.ts";
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

export interface ReceivedForm {
  /** Exactly as received. */
  body: Uint8Array<ArrayBuffer>;
  /** The public URL with its query, as Twilio was told it. */
  url: string;
  /** The X-Twilio-Signature header. */
  signature: string | undefined;
}

export async function verifyForm(tokens: SigningTokens, received: ReceivedForm): Promise<Verification> {
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
  { url, signature }: ReceivedForm,
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

// A repeated AccountSid is refused: which of them the signature speaks for would be our guess.
function claimedAccount(form: Form): string | undefined {
  const [accountSid, ...others] = form.get("AccountSid") ?? [];
  return accountSid !== undefined && others.length === 0 && isAccountSid(accountSid) ? accountSid : undefined;
}

function decodeUtf8(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    // A byte order mark is kept: it was signed, too.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
