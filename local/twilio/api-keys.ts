import { Hono } from "hono";
import { noStandardKey } from "./credential-rules.ts";
import { invalidParameter, notFound, permissionDenied, refuse } from "./errors.ts";
import { rfc2822 } from "./gmt.ts";
import { apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { metaPage } from "./meta-page.ts";
import { pageOf } from "./paging.ts";
import { newSid } from "./random.ts";
import type { Account, ApiKey, World } from "./state.ts";

const LONGEST_NAME = 64;

/**
 * https://www.twilio.com/docs/iam/api-keys/key-resource-v2010. That it knows standard keys alone is inferred: it is older
 * than the others, and says nothing of them.
 */
export function apiKeyRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Keys", list)
    .post("/Keys", (context) => create(world, context))
    .get("/Keys/:Sid", found(fetch))
    .post(
      "/Keys/:Sid",
      found((context, key) => update(world, context, key)),
    )
    .delete(
      "/Keys/:Sid",
      found((context, key) => remove(world, context, key)),
    );
}

/** All keys of the account whose credentials are used: https://www.twilio.com/docs/iam/api-keys/key-resource-v1 */
export function iamKeyRoutes(world: World): Hono<TwilioEnv> {
  const any = (act: WithKey) => (context: TwilioContext) => withKey(context, () => true, act);
  return new Hono<TwilioEnv>()
    .use("/Keys/*", noStandardKey())
    .get("/Keys", listAll)
    .post("/Keys", (context) => createAny(world, context))
    .get("/Keys/:Sid", any(fetch))
    .delete(
      "/Keys/:Sid",
      any((context, key) => remove(world, context, key)),
    );
}

type WithKey = (context: TwilioContext, key: ApiKey) => Response;

const isStandard = ({ type }: ApiKey): boolean => type === "standard";

const found = (act: WithKey) => (context: TwilioContext) => withKey(context, isStandard, act);

function withKey(context: TwilioContext, isKnown: (key: ApiKey) => boolean, act: WithKey): Response {
  const key = context.get("account").keys.get(context.req.param("Sid") ?? "");
  if (key === undefined || !isKnown(key)) return refuse(context, notFound(apiPath(context.req.url)));
  return act(context, key);
}

function list(context: TwilioContext): Response {
  const request = { path: apiPath(context.req.url), query: queryIn(context) };
  const { items, frame } = pageOf(request, [...context.get("account").keys.values()], isStandard);
  return context.json({ ...frame, keys: items.map(keyAnswer) });
}

// Of the account that asks: another one's SID is refused.
function listAll(context: TwilioContext): Response {
  const account = context.get("account");
  const asked = queryIn(context).get("AccountSid");
  if (asked === null) return refuse(context, invalidParameter("AccountSid is required."));
  if (asked !== account.sid) return refuse(context, permissionDenied);
  const { items, meta } = metaPage(context, "keys", [...account.keys.values()], () => true);
  return context.json({ keys: items.map((key) => ({ ...keyAnswer(key), flags: [key.type] })), meta });
}

function createAny(world: World, context: TwilioContext): Response {
  const form = context.get("form");
  const friendlyName = form.get("FriendlyName") ?? "";
  if (friendlyName.length > LONGEST_NAME) return refuse(context, tooLong);
  const type = form.get("KeyType") === "restricted" ? "restricted" : "standard";
  const key = addKey(world, context.get("account"), { friendlyName, type });
  return context.json({ ...keyAnswer(key), secret: key.secret }, 201);
}

// "You can create Main keys only in the Twilio Console": the API makes standard ones.
function create(world: World, context: TwilioContext): Response {
  const friendlyName = context.get("form").get("FriendlyName") ?? "";
  if (friendlyName.length > LONGEST_NAME) return refuse(context, tooLong);
  const key = addKey(world, context.get("account"), { friendlyName, type: "standard" });
  return context.json({ ...keyAnswer(key), secret: key.secret }, 201);
}

/** @param key without a date it is made now */
export function addKey(
  world: World,
  account: Account,
  {
    friendlyName,
    type,
    dateCreated = world.clock.now(),
  }: Pick<ApiKey, "friendlyName" | "type"> & { dateCreated?: Date | undefined },
): ApiKey {
  const sid = newSid(world.random, "SK", account.keys);
  const key: ApiKey = { sid, friendlyName, type, secret: world.random.hex(), dateCreated, dateUpdated: dateCreated };
  account.keys.set(sid, key);
  world.changed();
  return key;
}

const fetch: WithKey = (context, key) => context.json(keyAnswer(key));

function update(world: World, context: TwilioContext, key: ApiKey): Response {
  const friendlyName = context.get("form").get("FriendlyName") ?? key.friendlyName;
  if (friendlyName.length > LONGEST_NAME) return refuse(context, tooLong);
  key.friendlyName = friendlyName;
  key.dateUpdated = world.clock.now();
  world.changed();
  return context.json(keyAnswer(key));
}

function remove(world: World, context: TwilioContext, key: ApiKey): Response {
  context.get("account").keys.delete(key.sid);
  world.changed();
  return context.body(null, 204);
}

const tooLong = invalidParameter("FriendlyName must be at most 64 characters.");

// Without the secret, which is shown when the key is made and never again.
function keyAnswer({ sid, friendlyName, dateCreated, dateUpdated }: ApiKey) {
  const dates = { date_created: rfc2822(dateCreated), date_updated: rfc2822(dateUpdated) };
  return { sid, friendly_name: friendlyName, ...dates };
}
