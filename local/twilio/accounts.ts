import { Hono } from "hono";
import { endCall } from "./calls.ts";
import {
  alreadyClosed,
  heldByTwilio,
  invalidStatus,
  parentSuspended,
  parentUpdate,
  permissionDenied,
  type Refusal,
  refuse,
} from "./errors.ts";
import { rfc2822 } from "./gmt.ts";
import { apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { pageOf } from "./paging.ts";
import { ACCOUNT_STATUSES, type Account, type AccountStatus, liveCalls, parentOf, type World } from "./state.ts";
import { addSubaccount } from "./world.ts";

/** https://www.twilio.com/docs/iam/api/account and /subaccounts */
export function accountRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Accounts", (context) => list(world, context))
    .post("/Accounts", (context) => create(world, context))
    .get("/Accounts/:AccountSid", fetch)
    .post("/Accounts/:AccountSid", (context) => update(world, context));
}

function list(world: World, context: TwilioContext): Response {
  const query = queryIn(context);
  const caller = context.get("caller");
  const seen = caller.sid === world.parentSid ? [...world.accounts.values()] : [caller];
  const { items, frame } = pageOf({ path: apiPath(context.req.url), query }, seen, wantedBy(query));
  return context.json({ ...frame, accounts: items.map((account) => accountAnswer(context, account)) });
}

function wantedBy(query: URLSearchParams): (account: Account) => boolean {
  const status = query.get("Status");
  const name = query.get("FriendlyName");
  return (account) =>
    (status === null || account.status === status) && (name === null || account.friendlyName === name);
}

function create(world: World, context: TwilioContext): Response {
  if (context.get("caller").sid !== world.parentSid) return refuse(context, permissionDenied);
  const friendlyName = context.get("form").get("FriendlyName") ?? `SubAccount Created at ${now(world)}`;
  return context.json(accountAnswer(context, addSubaccount(world, { friendlyName })), 201);
}

function fetch(context: TwilioContext): Response {
  return context.json(accountAnswer(context, context.get("account")));
}

function update(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const form = context.get("form");
  const status = form.get("Status");
  const refusal = status === null ? undefined : refusalOf(world, context.get("caller"), account, status);
  if (refusal !== undefined) return refuse(context, refusal);
  rename(account, form.get("FriendlyName"));
  setStatus(world, account, ACCOUNT_STATUSES.find((known) => known === status) ?? account.status);
  return context.json(accountAnswer(context, account));
}

// Each rule is an error page of its own: https://www.twilio.com/docs/api/errors/21475 to 21479.
function refusalOf(world: World, caller: Account, account: Account, status: string): Refusal | undefined {
  if (caller.sid !== world.parentSid) return permissionDenied;
  if (!ACCOUNT_STATUSES.some((known) => known === status)) return invalidStatus;
  if (account.sid === world.parentSid) return parentUpdate;
  if (account.status === "closed") return alreadyClosed;
  if (account.suspendedByTwilio) return heldByTwilio;
  return parentOf(world).status === "active" ? undefined : parentSuspended;
}

function rename(account: Account, friendlyName: string | null): void {
  if (friendlyName !== null) account.friendlyName = friendlyName;
}

/** Sets the status as Twilio would: live calls go on when an account is suspended, and end when it is closed. */
export function setStatus(world: World, account: Account, status: AccountStatus): void {
  account.status = status;
  account.dateUpdated = world.clock.now();
  if (status === "closed") for (const call of liveCalls(account)) endCall(world, call);
  world.changed();
}

const now = (world: World): string => world.clock.now().toISOString().slice(0, 16).replace("T", " ");

/** The Account resource. A key sees no auth token, seen so of a main key and a subaccount: inferred for the rest. */
function accountAnswer(context: TwilioContext, account: Account) {
  const uri = `/2010-04-01/Accounts/${account.sid}`;
  return {
    sid: account.sid,
    owner_account_sid: account.ownerAccountSid,
    auth_token: context.get("credential") === "auth-token" ? account.authToken : "",
    friendly_name: account.friendlyName,
    status: account.status,
    type: account.type,
    date_created: rfc2822(account.dateCreated),
    date_updated: rfc2822(account.dateUpdated),
    uri: `${uri}.json`,
    subresource_uris: {
      calls: `${uri}/Calls.json`,
      incoming_phone_numbers: `${uri}/IncomingPhoneNumbers.json`,
      keys: `${uri}/Keys.json`,
      messages: `${uri}/Messages.json`,
      usage: `${uri}/Usage.json`,
    },
  };
}
