import { Hono, type MiddlewareHandler } from "hono";
import { accountFor, authenticate } from "./access.ts";
import { accountRoutes } from "./accounts.ts";
import { callRoutes } from "./calls.ts";
import { controlRoutes } from "./control.ts";
import type { Controls } from "./controls.ts";
import type { ErrorCarrier } from "./error-delivery.ts";
import { internalError, notFound, permissionDenied, refuse } from "./errors.ts";
import { type Faults, failing } from "./faults.ts";
import { apiPath, type TwilioEnv } from "./http.ts";
import { messageRoutes } from "./messages.ts";
import { type RequestLog, recording } from "./request-log.ts";
import { sinkRoutes } from "./sinks.ts";
import { parentOf, type World } from "./state.ts";
import { subscriptionRoutes } from "./subscriptions.ts";
import { usageRecordRoutes } from "./usage-records.ts";
import { usageTriggerRoutes } from "./usage-triggers.ts";

export interface ServerParts {
  world: World;
  faults: Faults;
  requests: RequestLog;
  controls: Controls;
  carrier: ErrorCarrier;
}

/** Twilio's APIs below `/api` and `/events`, the simulator's own below `/simulator`. */
export function twilioServer({ world, faults, requests, controls, carrier }: ServerParts): Hono<TwilioEnv> {
  // Routes are written without the `.json` that every path of this API ends with.
  const app = new Hono<TwilioEnv>({ getPath: (request) => new URL(request.url).pathname.replace(/\.json$/, "") });
  app.route("/simulator", controlRoutes(controls));
  app.use(recording(requests, world.clock), failing(world, faults));
  app.use("/api/*", jsonOnly());
  app.route("/api/2010-04-01", version2010(world));
  app.route("/events/v1", events(world, carrier));
  app.notFound((context) => refuse(context, notFound(apiPath(context.req.url))));
  app.onError((_thrown, context) => refuse(context, internalError));
  return app;
}

function version2010(world: World): Hono<TwilioEnv> {
  const account = "/Accounts/:AccountSid";
  const app = new Hono<TwilioEnv>();
  app.use(callerKnown(world));
  app.use(`${account}/*`, accountAllowed(world));
  app.use(`${account}/:Subresource{.+}`, parentActive(world));
  app.route("/", accountRoutes(world));
  for (const routes of [callRoutes(world), messageRoutes(), usageTriggerRoutes(world), usageRecordRoutes(world)]) {
    app.route(account, routes);
  }
  return app;
}

// An account has no part in these paths: "must be accessed directly using subaccount credentials".
function events(world: World, carrier: ErrorCarrier): Hono<TwilioEnv> {
  const app = new Hono<TwilioEnv>();
  app.use(callerKnown(world), parentActive(world), async (context, next) => {
    context.set("account", context.get("caller"));
    return next();
  });
  app.route("/", sinkRoutes(world, carrier));
  app.route("/", subscriptionRoutes(world));
  return app;
}

function callerKnown(world: World): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    const access = authenticate(world, context.req.header("authorization"));
    if (access.kind === "refused") return refuse(context, access.refusal);
    context.set("caller", access.account);
    return next();
  };
}

// The pattern also matches the account's own path, without anything behind it.
function accountAllowed(world: World): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    const sid = context.req.param("AccountSid") ?? "";
    const access = accountFor(world, context.get("caller"), sid, apiPath(context.req.url));
    if (access.kind === "refused") return refuse(context, access.refusal);
    context.set("account", access.account);
    return next();
  };
}

// "If your main Twilio account is ever suspended, your subaccounts will also be suspended."
function parentActive(world: World): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    if (parentOf(world).status !== "active") return refuse(context, permissionDenied);
    return next();
  };
}

// Without `.json` Twilio answers XML, which the simulator does not.
function jsonOnly(): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    const path = apiPath(context.req.url);
    return path.endsWith(".json") ? next() : refuse(context, notFound(path));
  };
}
