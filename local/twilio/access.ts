import { notFound, permissionDenied, type Refusal, unauthenticated } from "./errors.ts";
import type { Account, World } from "./state.ts";

/** Whether a caller may do something with an account. */
export type Access = { kind: "granted"; account: Account } | { kind: "refused"; refusal: Refusal };

/**
 * Who is calling, by HTTP Basic: an account's SID and its auth token. The credentials of a subaccount that is suspended
 * or closed are refused. https://www.twilio.com/docs/iam/api/subaccounts
 */
export function authenticate(world: World, authorization: string | undefined): Access {
  const { sid, token } = basic(authorization);
  const account = world.accounts.get(sid);
  if (account === undefined || account.authToken !== token) return refused(unauthenticated);
  if (account.status !== "active" && account.sid !== world.parentSid) return refused(unauthenticated);
  return { kind: "granted", account };
}

/** The account named in a path, if `caller` may use it: its own, or, for the parent, any of its subaccounts. */
export function accountFor(world: World, caller: Account, sid: string, path: string): Access {
  const account = world.accounts.get(sid);
  if (account === undefined) return refused(notFound(path));
  if (account === caller || caller.sid === world.parentSid) return { kind: "granted", account };
  return refused(sid === world.parentSid ? permissionDenied : notFound(path));
}

const refused = (refusal: Refusal): Access => ({ kind: "refused", refusal });

function basic(authorization = ""): { sid: string; token: string } {
  const [scheme = "", encoded = ""] = authorization.split(" ");
  if (scheme.toLowerCase() !== "basic") return { sid: "", token: "" };
  const [sid = "", ...token] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { sid, token: token.join(":") };
}
