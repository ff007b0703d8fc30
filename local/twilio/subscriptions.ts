import { Hono } from "hono";
import * as z from "zod/mini";
import { invalidParameter, notFound, refuse } from "./errors.ts";
import { secondsIso } from "./gmt.ts";
import { apiBase, apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { metaPage } from "./meta-page.ts";
import { newSid } from "./random.ts";
import type { Account, EventType, Subscription, World } from "./state.ts";

const MOST_SUBSCRIPTIONS = 100;

/** https://www.twilio.com/docs/events/event-streams/subscription */
export function subscriptionRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Subscriptions", list)
    .post("/Subscriptions", (context) => create(world, context))
    .get("/Subscriptions/:Sid", found(fetch))
    .post(
      "/Subscriptions/:Sid",
      found((context, subscription) => update(world, context, subscription)),
    )
    .delete(
      "/Subscriptions/:Sid",
      found((context, subscription) => remove(world, context, subscription)),
    )
    .get("/Subscriptions/:Sid/SubscribedEvents", found(listTypes));
}

type WithSubscription = (context: TwilioContext, subscription: Subscription) => Response;

const found = (act: WithSubscription) => (context: TwilioContext) => {
  const subscription = context.get("account").subscriptions.get(context.req.param("Sid") ?? "");
  return subscription === undefined ? refuse(context, notFound(apiPath(context.req.url))) : act(context, subscription);
};

function list(context: TwilioContext): Response {
  const account = context.get("account");
  const sink = queryIn(context).get("SinkSid");
  const wanted = ({ sinkSid }: Subscription) => sink === null || sinkSid === sink;
  const { items, meta } = metaPage(context, "subscriptions", [...account.subscriptions.values()], wanted);
  return context.json({ subscriptions: items.map((one) => subscriptionAnswer(context, one)), meta });
}

function create(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const form = context.get("form");
  const types = readTypes(form);
  const problem = problemWith(form, account);
  if (problem !== undefined) return refuse(context, invalidParameter(problem));
  if (types === undefined) return refuse(context, invalidParameter("Types is invalid."));
  const subscription = newSubscription(world, account, form, types);
  account.subscriptions.set(subscription.sid, subscription);
  world.changed();
  return context.json(subscriptionAnswer(context, subscription), 201);
}

function newSubscription(world: World, account: Account, form: URLSearchParams, types: EventType[]): Subscription {
  const now = world.clock.now();
  return {
    sid: newSid(world.random, "DF", account.subscriptions),
    sinkSid: form.get("SinkSid") ?? "",
    description: form.get("Description") ?? "",
    types,
    fromSubaccounts: form.get("ReceiveEventsFromSubaccounts") === "true",
    dateCreated: now,
    dateUpdated: now,
  };
}

function problemWith(form: URLSearchParams, { sinks, subscriptions }: Account): string | undefined {
  if (!form.get("Description")) return "Description is required.";
  if (!sinks.has(form.get("SinkSid") ?? "")) return "SinkSid is not a Sink of this account.";
  return subscriptions.size < MOST_SUBSCRIPTIONS ? undefined : "An account can have at most 100 Subscriptions.";
}

const Type = z.object({ type: z.string().check(z.minLength(1)), schema_version: z._default(z.int(), 1) });

/** `Types` is repeated, one JSON object each; a client may also send one JSON array. */
function readTypes(form: URLSearchParams): EventType[] | undefined {
  try {
    const given = form.getAll("Types").flatMap((text): unknown => JSON.parse(text));
    const types = z.parse(z.array(Type).check(z.minLength(1)), given);
    return types.map(({ type, schema_version }) => ({ type, schemaVersion: schema_version }));
  } catch {
    return undefined;
  }
}

const fetch: WithSubscription = (context, subscription) => context.json(subscriptionAnswer(context, subscription));

function update(world: World, context: TwilioContext, subscription: Subscription): Response {
  subscription.description = context.get("form").get("Description") ?? subscription.description;
  subscription.dateUpdated = world.clock.now();
  world.changed();
  return context.json(subscriptionAnswer(context, subscription));
}

function remove(world: World, context: TwilioContext, { sid }: Subscription): Response {
  context.get("account").subscriptions.delete(sid);
  world.changed();
  return context.body(null, 204);
}

function listTypes(context: TwilioContext, subscription: Subscription): Response {
  const all = subscription.types.map((one) => ({ ...one, sid: one.type }));
  const { items, meta } = metaPage(context, "types", all, () => true);
  const { sid } = subscription;
  const types = items.map(({ type, schemaVersion }) => ({
    account_sid: context.get("account").sid,
    type,
    schema_version: schemaVersion,
    subscription_sid: sid,
    url: `${apiBase(context.req.url)}/v1/Subscriptions/${sid}/SubscribedEvents/${type}`,
  }));
  return context.json({ types, meta });
}

function subscriptionAnswer(context: TwilioContext, subscription: Subscription) {
  const url = `${apiBase(context.req.url)}/v1/Subscriptions/${subscription.sid}`;
  return {
    account_sid: context.get("account").sid,
    sid: subscription.sid,
    sink_sid: subscription.sinkSid,
    description: subscription.description,
    date_created: secondsIso(subscription.dateCreated),
    date_updated: secondsIso(subscription.dateUpdated),
    url,
    links: { subscribed_events: `${url}/SubscribedEvents` },
  };
}
