import { notFound, permissionDenied, type Refusal, unauthenticated } from "./errors.ts";
import type { Account, World } from "./state.ts";

/** What a caller showed: the account's auth token, primary or secondary, or one of its API keys. */
export type Credential = "auth-token" | "main-key" | "standard-key";

/** Who is calling. */
export type Caller =
  | { kind: "known"; account: Account; credential: Credential }
  | { kind: "refused"; refusal: Refusal };

/** Whether a caller may do something with an account. */
export type Access = { kind: "granted"; account: Account } | { kind: "refused"; refusal: Refusal };

/**
 * Who is calling, by HTTP Basic: an account's SID and one of its auth tokens, or an API key's SID and secret. All
 * credentials of a subaccount that is suspended or closed are refused. https://www.twilio.com/docs/iam/api/subaccounts
 */
export function authenticate(world: World, authorization: string | undefined): Caller {
  const { user, password } = basic(authorization);
  const caller = user.startsWith("SK") ? byKey(world, user, password) : byToken(world, user, password);
  const works = caller !== undefined && (caller.account.status === "active" || caller.account.sid === world.parentSid);
  return works ? { kind: "known", ...caller } : refused(unauthenticated);
}

type Found = { account: Account; credential: Credential } | undefined;

function byToken(world: World, sid: string, token: string): Found {
  const account = world.accounts.get(sid);
  if (account === undefined) return undefined;
  const works = token === account.authToken || token === account.secondaryAuthToken?.token;
  return works ? { account, credential: "auth-token" } : undefined;
}

function byKey(world: World, sid: string, secret: string): Found {
  for (const account of world.accounts.values()) {
    const key = account.keys.get(sid);
    if (key?.secret === secret) return { account, credential: key.type === "main" ? "main-key" : "standard-key" };
  }
  return undefined;
}

/** The account named in a path, if `caller` may use it: its own, or, for the parent, any of its subaccounts. */
export function accountFor(world: World, caller: Account, sid: string, path: string): Access {
  const account = world.accounts.get(sid);
  if (account === undefined) return refused(notFound(path));
  if (account === caller || caller.sid === world.parentSid) return { kind: "granted", account };
  return refused(sid === world.parentSid ? permissionDenied : notFound(path));
}

const refused = (refusal: Refusal) => ({ kind: "refused", refusal }) as const;

function basic(authorization = ""): { user: string; password: string } {
  const [scheme = "", encoded = ""] = authorization.split(" ");
  if (scheme.toLowerCase() !== "basic") return { user: "", password: "" };
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { user, password: password.join(":") };
}
