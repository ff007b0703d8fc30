import { Hono } from "hono";
import * as z from "zod/mini";
import type { ErrorCarrier } from "./error-delivery.ts";
import { invalidParameter, notFound, refuse } from "./errors.ts";
import { secondsIso } from "./gmt.ts";
import { apiBase, apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { metaPage } from "./meta-page.ts";
import { newSid } from "./random.ts";
import type { Account, Sink, World } from "./state.ts";

const MOST_SINKS = 100;

/** https://www.twilio.com/docs/events/event-streams/sink-resource; of the types only webhooks. */
export function sinkRoutes(world: World, carrier: ErrorCarrier): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Sinks", list)
    .post("/Sinks", (context) => create(world, context))
    .get("/Sinks/:Sid", found(fetch))
    .post(
      "/Sinks/:Sid",
      found((context, sink) => update(world, context, sink)),
    )
    .delete(
      "/Sinks/:Sid",
      found((context, sink) => remove(world, context, sink)),
    )
    .post(
      "/Sinks/:Sid/Test",
      found((context, sink) => test(carrier, context, sink)),
    )
    .post("/Sinks/:Sid/Validate", found(validate));
}

type WithSink = (context: TwilioContext, sink: Sink) => Response;

const found = (act: WithSink) => (context: TwilioContext) => {
  const sink = context.get("account").sinks.get(context.req.param("Sid") ?? "");
  return sink === undefined ? refuse(context, notFound(apiPath(context.req.url))) : act(context, sink);
};

function list(context: TwilioContext): Response {
  const account = context.get("account");
  const query = queryIn(context);
  const { items, meta } = metaPage(context, "sinks", [...account.sinks.values()], wantedBy(query, account));
  return context.json({ sinks: items.map((sink) => sinkAnswer(context, sink)), meta });
}

function wantedBy(query: URLSearchParams, { subscriptions }: Account): (sink: Sink) => boolean {
  const inUse = query.get("InUse");
  const used = new Set([...subscriptions.values()].map(({ sinkSid }) => sinkSid));
  const status = query.get("Status") ?? "active";
  return ({ sid }) => status === "active" && (inUse === null || (inUse === "true") === used.has(sid));
}

function create(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const form = context.get("form");
  const configuration = readConfiguration(form.get("SinkConfiguration"));
  const problem = problemWith(form, account);
  if (problem !== undefined) return refuse(context, invalidParameter(problem));
  if (configuration === undefined) return refuse(context, invalidParameter("SinkConfiguration is invalid."));
  const sink = newSink(world, account, form.get("Description") ?? "", configuration);
  account.sinks.set(sink.sid, sink);
  world.changed();
  return context.json(sinkAnswer(context, sink), 201);
}

function newSink(world: World, account: Account, description: string, configuration: Configuration): Sink {
  const now = world.clock.now();
  const sid = newSid(world.random, "DG", account.sinks);
  const { destination, batch_events: batchEvents } = configuration;
  return { sid, description, destination, batchEvents, dateCreated: now, dateUpdated: now };
}

function problemWith(form: URLSearchParams, { sinks }: Account): string | undefined {
  if (!form.get("Description")) return "Description is required.";
  if (form.get("SinkType") !== "webhook") return "SinkType must be webhook: the simulator has no other sinks.";
  return sinks.size < MOST_SINKS ? undefined : "An account can have at most 100 Sinks.";
}

const Configuration = z.object({
  destination: z.url({ protocol: /^https?$/ }),
  method: z._default(z.literal("POST"), "POST"),
  batch_events: z._default(z.boolean(), false),
});
type Configuration = z.output<typeof Configuration>;

function readConfiguration(text: string | null): Configuration | undefined {
  try {
    return z.parse(Configuration, JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

const fetch: WithSink = (context, sink) => context.json(sinkAnswer(context, sink));

function update(world: World, context: TwilioContext, sink: Sink): Response {
  const description = context.get("form").get("Description");
  if (!description) return refuse(context, invalidParameter("Description is required."));
  sink.description = description;
  sink.dateUpdated = world.clock.now();
  world.changed();
  return context.json(sinkAnswer(context, sink));
}

function remove(world: World, context: TwilioContext, sink: Sink): Response {
  const { sinks, subscriptions } = context.get("account");
  const inUse = [...subscriptions.values()].some(({ sinkSid }) => sinkSid === sink.sid);
  if (inUse) return refuse(context, invalidParameter("Sink is in use: delete its Subscriptions first."));
  sinks.delete(sink.sid);
  world.changed();
  return context.body(null, 204);
}

function test(carrier: ErrorCarrier, context: TwilioContext, sink: Sink): Response {
  carrier.test(context.get("account"), sink);
  return context.json({ result: "submitted" }, 201);
}

// "always returns a result property with a value of valid": https://www.twilio.com/docs/events/event-streams/sink-resource/validate
const validate: WithSink = (context) =>
  context.get("form").get("TestId")
    ? context.json({ result: "valid" }, 201)
    : refuse(context, invalidParameter("TestId is required."));

function sinkAnswer(context: TwilioContext, sink: Sink) {
  const url = `${apiBase(context.req.url)}/v1/Sinks/${sink.sid}`;
  return {
    sid: sink.sid,
    description: sink.description,
    sink_type: "webhook",
    sink_configuration: { destination: sink.destination, method: "POST", batch_events: sink.batchEvents },
    // "There is no longer a need for validating a Sink. The status of Sinks is active by default."
    status: "active",
    date_created: secondsIso(sink.dateCreated),
    date_updated: secondsIso(sink.dateUpdated),
    url,
    links: { sink_test: `${url}/Test`, sink_validate: `${url}/Validate` },
  };
}
