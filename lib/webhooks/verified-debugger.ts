import { type Form, isSignedWith, parseForm } from "../twilio/signature.ts";
import { decodeUtf8, type ReceivedRequest } from "./receive-webhook.ts";
import { findSigner } from "./signer.ts";
import type { SigningTokens } from "./signing-tokens.ts";
import { claimedAccount } from "./verified-form.ts";

/** The debugger's form, known to come from Twilio: https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks */
export type DebuggerVerification =
  | { kind: "verified"; accountSid: string; form: Form; signedBy: "subaccount" | "parent" }
  | { kind: "refused"; why: string }
  | { kind: "undecided" };

/** Nothing of the request is used before its signature matches, but the SIDs that say which tokens to try. */
export async function verifyDebuggerForm(
  tokens: SigningTokens,
  parentSid: string,
  { body, url, signature }: ReceivedRequest,
): Promise<DebuggerVerification> {
  if (signature === undefined || signature === "") return { kind: "refused", why: "unsigned" };
  const text = decodeUtf8(body);
  if (text === undefined) return { kind: "refused", why: "not-utf8" };
  const form = parseForm(text);
  const accountSid = claimedAccount(form);
  if (accountSid === undefined) return { kind: "refused", why: "no-account" };
  if (!isUnder(parentSid, form)) return { kind: "refused", why: "not-ours" };

  const signer = await findSigner(tokens, { accountSid, parentSid }, (authToken) =>
    isSignedWith(authToken, signature, { url, form }),
  );
  if (signer.kind !== "signed") return signer;
  // Signed by our parent, about an account that Twilio says is not ours: nothing that could be acted on.
  if (signer.account === "not-ours") return { kind: "refused", why: "not-ours" };
  return { kind: "verified", accountSid, form, signedBy: signer.by };
}

// "Only exists if the above account is a subaccount", and yet Twilio's own example sends it empty.
function isUnder(parentSid: string, form: Form): boolean {
  return (form.get("ParentAccountSid") ?? []).every((sid) => sid === "" || sid === parentSid);
}
