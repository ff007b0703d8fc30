import { Hono } from "hono";
import { noStandardKey } from "./credential-rules.ts";
import { notFound, refuse, secondaryExists } from "./errors.ts";
import { secondsIso } from "./gmt.ts";
import { apiBase, apiPath, type TwilioContext, type TwilioEnv } from "./http.ts";
import type { Account, World } from "./state.ts";

/** The auth tokens of the account whose credentials are used. https://www.twilio.com/docs/iam/api/secondary_authtoken */
export function authTokenRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .use("/AuthTokens/*", noStandardKey())
    .post("/AuthTokens/Secondary", (context) => create(world, context))
    .delete("/AuthTokens/Secondary", (context) => remove(world, context))
    .post("/AuthTokens/Promote", (context) => promote(world, context));
}

// That a second one is refused is inferred: Twilio has one slot for it, and its Console offers no other.
function create(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  if (account.secondaryAuthToken !== null) return refuse(context, secondaryExists);
  const token = world.random.hex();
  account.secondaryAuthToken = { token, dateCreated: world.clock.now() };
  world.changed();
  return context.json({ ...tokenAnswer(world, context), secondary_auth_token: token }, 201);
}

// Without a secondary token both answer 404, as Twilio's reference says of promoting.
function remove(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  if (account.secondaryAuthToken === null) return refuse(context, notFound(pathIn(context)));
  account.secondaryAuthToken = null;
  world.changed();
  return context.body(null, 204);
}

/** "After promoting the new token, all requests to Twilio using your old primary Auth Token will result in an error." */
function promote(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  if (account.secondaryAuthToken === null) return refuse(context, notFound(pathIn(context)));
  replaceToken(account, account.secondaryAuthToken.token, world.clock.now());
  world.changed();
  return context.json({ ...tokenAnswer(world, context), auth_token: account.authToken });
}

function replaceToken(account: Account, token: string, now: Date): void {
  account.authToken = token;
  account.secondaryAuthToken = null;
  account.dateUpdated = now;
}

function tokenAnswer(world: World, context: TwilioContext) {
  const now = secondsIso(world.clock.now());
  const url = `${apiBase(context.req.url)}${apiPath(context.req.url)}`;
  return { account_sid: context.get("account").sid, date_created: now, date_updated: now, url };
}

// Twilio's message leaves the version out: "The requested resource /AuthTokens/Promote was not found".
const pathIn = (context: TwilioContext): string => apiPath(context.req.url).replace("/v1", "");
