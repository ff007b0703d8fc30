import type { SigningTokens, TokenSearch } from "./signing-tokens.ts";

/** Who signed a request about an account, where it may have been the account or its parent. */
export type Signer =
  | { kind: "signed"; by: "subaccount" | "parent"; account: Ownership }
  /** By neither of them. `why` is for the count, not for the sender. */
  | { kind: "refused"; why: string }
  /** Could not be decided now: the sender should try again. */
  | { kind: "undecided" };

/** Whether the account is under our parent; unknown while Twilio does not say. */
type Ownership = "ours" | "not-ours" | "unknown";

export interface Claim {
  /** The account that the request says it is about: anybody's claim until the signature matches. */
  accountSid: string;
  parentSid: string;
}

/**
 * Which token Twilio uses for the debugger's webhook is not documented. So both candidates are tried, always both of
 * them, and the answer says which one matched. The token of an account speaks for that account alone.
 */
export async function findSigner(
  tokens: SigningTokens,
  { accountSid, parentSid }: Claim,
  matches: (authToken: string) => boolean,
): Promise<Signer> {
  const [own, parent] = await Promise.all([tokens.find(accountSid), tokens.find(parentSid)]);
  const isParentItself = accountSid === parentSid;
  const verdict = judge({ own, parent, isParentItself }, matches);
  if (verdict.kind === "signed" || own.kind !== "found" || isParentItself) return verdict;
  return judge({ own: await tokens.findAgain(accountSid, own), parent, isParentItself }, matches);
}

interface Candidates {
  own: TokenSearch;
  parent: TokenSearch;
  isParentItself: boolean;
}

function judge({ own, parent, isParentItself }: Candidates, matches: (authToken: string) => boolean): Signer {
  const isOwn = own.kind === "found" && matches(own.authToken);
  const isParents = parent.kind === "found" && matches(parent.authToken);
  const account = own.kind === "found" ? "ours" : own.kind;
  if (isParents) return { kind: "signed", by: "parent", account };
  if (isOwn) return { kind: "signed", by: isParentItself ? "parent" : "subaccount", account };
  if (own.kind === "not-ours") return { kind: "refused", why: "not-ours" };
  const isOpen = own.kind === "unknown" || parent.kind === "unknown";
  return isOpen ? { kind: "undecided" } : { kind: "refused", why: "wrong-signature" };
}
