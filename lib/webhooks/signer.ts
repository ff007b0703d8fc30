import type { SignatureCheck } from "../twilio/signature.ts";
import type { SigningTokens, Undecided } from "./signing-tokens.ts";

/** Who signed a request about an account, where it may have been the account or its parent. */
export type Signer =
  | { kind: "signed"; by: "subaccount" | "parent" }
  /** By neither of them. `why` is for the count, not for the sender. */
  | { kind: "refused"; why: string }
  | Undecided;

export interface Claim {
  /** The account that the request says it is about: anybody's claim until the signature matches. */
  accountSid: string;
  parentSid: string;
}

/**
 * Which token Twilio uses for the debugger's webhook is not documented. So both candidates are tried, and the answer
 * says which one matched. The token of an account speaks for that account alone.
 */
export async function findSigner(
  tokens: SigningTokens,
  { accountSid, parentSid }: Claim,
  isSignedWith: SignatureCheck,
): Promise<Signer> {
  const came = tokens.moment();
  // First, because it takes no look at Twilio.
  if (await tokens.isKnownToSign(parentSid, isSignedWith)) return { kind: "signed", by: "parent" };
  if (accountSid !== parentSid) {
    const own = await tokens.check(accountSid, isSignedWith, came);
    if (own.kind === "signed") return { kind: "signed", by: "subaccount" };
    if (own.kind === "not-ours") return { kind: "refused", why: "not-ours" };
    if (own.kind === "undecided") return own;
  }
  const parent = await tokens.check(parentSid, isSignedWith, came);
  switch (parent.kind) {
    case "signed":
      return { kind: "signed", by: "parent" };
    case "undecided":
      return parent;
    default:
      return { kind: "refused", why: "wrong-signature" };
  }
}
