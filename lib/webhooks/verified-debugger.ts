import type { Form } from "../twilio/signature.ts";
import type { ReceivedRequest } from "./receive-webhook.ts";
import { findSigner } from "./signer.ts";
import type { SigningTokens, Undecided } from "./signing-tokens.ts";
import { type Refusal, readForm } from "./verified-form.ts";

/** The debugger's form, known to come from Twilio: https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks */
export interface VerifiedDebugger {
  kind: "verified";
  accountSid: string;
  form: Form;
  signedBy: "subaccount" | "parent";
}

/** Nothing of the request is used before its signature matches, but the SIDs that say which tokens to try. */
export async function verifyDebuggerForm(
  tokens: SigningTokens,
  parentSid: string,
  request: ReceivedRequest,
): Promise<VerifiedDebugger | Refusal | Undecided> {
  const received = readForm(request);
  if (received.kind === "refused") return received;
  const { form, accountSid, isSignedWith } = received;
  if (!isUnder(parentSid, form)) return { kind: "refused", why: "not-ours" };

  const signer = await findSigner(tokens, { accountSid, parentSid }, isSignedWith);
  if (signer.kind !== "signed") return signer;
  const { by } = signer;
  // Signed by our parent, about an account that Twilio says is not ours: nothing that could be acted on.
  if (by === "parent" && (await tokens.ownership(accountSid)) === "not-ours")
    return { kind: "refused", why: "not-ours" };
  return { kind: "verified", accountSid, form, signedBy: by };
}

// "Only exists if the above account is a subaccount", and yet Twilio's own example sends it empty.
function isUnder(parentSid: string, form: Form): boolean {
  return (form.get("ParentAccountSid") ?? []).every((sid) => sid === "" || sid === parentSid);
}
