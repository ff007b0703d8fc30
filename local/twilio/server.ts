import { Hono, type MiddlewareHandler } from "hono";
import { accountFor, authenticate } from "./access.ts";
import { accountRoutes } from "./accounts.ts";
import { apiKeyRoutes, iamKeyRoutes } from "./api-keys.ts";
import { authTokenRoutes } from "./auth-tokens.ts";
import { callRoutes } from "./calls.ts";
import { controlRoutes } from "./control.ts";
import type { Controls } from "./controls.ts";
import { noKeyOfAnother, noStandardKey } from "./credential-rules.ts";
import { dialingPermissionRoutes } from "./dialing-permissions.ts";
import type { ErrorCarrier } from "./error-delivery.ts";
import { internalError, notFound, permissionDenied, refuse } from "./errors.ts";
import { type Faults, failing } from "./faults.ts";
import { apiPath, type TwilioEnv } from "./http.ts";
import { messageRoutes } from "./messages.ts";
import { phoneNumberRoutes } from "./phone-numbers.ts";
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

/** Twilio's APIs below `/api`, `/events`, `/accounts`, `/iam` and `/voice`, the simulator's own below `/simulator`. */
export function twilioServer({ world, faults, requests, controls, carrier }: ServerParts): Hono<TwilioEnv> {
  // Routes are written without the `.json` that every path of this API ends with.
  const app = new Hono<TwilioEnv>({ getPath: (request) => new URL(request.url).pathname.replace(/\.json$/, "") });
  app.route("/simulator", controlRoutes(controls));
  app.use(recording(requests, world.clock), failing(world, faults));
  app.use("/api/*", jsonOnly());
  app.route("/api/2010-04-01", version2010(world));
  app.route("/events/v1", ownProduct(world, sinkRoutes(world, carrier), subscriptionRoutes(world)));
  app.route("/accounts/v1", ownProduct(world, authTokenRoutes(world)));
  app.route("/iam/v1", ownProduct(world, iamKeyRoutes(world)));
  app.route("/voice/v1", ownProduct(world, dialingPermissionRoutes(world)));
  app.notFound((context) => refuse(context, notFound(apiPath(context.req.url))));
  app.onError((_thrown, context) => refuse(context, internalError));
  return app;
}

function version2010(world: World): Hono<TwilioEnv> {
  const account = "/Accounts/:AccountSid";
  const app = new Hono<TwilioEnv>();
  app.use(callerKnown(world));
  app.use(`${account}/*`, accountAllowed(world));
  app.use(`${account}/:Subresource{.+}`, parentActive(world), noKeyOfAnother());
  for (const closed of ["/Accounts", account, `${account}/Keys/*`]) app.use(closed, noStandardKey());
  app.route("/", accountRoutes(world));
  for (const routes of subresources(world)) app.route(account, routes);
  return app;
}

const subresources = (world: World): Hono<TwilioEnv>[] => [
  apiKeyRoutes(world),
  callRoutes(world),
  messageRoutes(),
  phoneNumberRoutes(world),
  usageRecordRoutes(world),
  usageTriggerRoutes(world),
];

// An account has no part in these paths: "must be accessed directly using subaccount credentials".
function ownProduct(world: World, ...products: Hono<TwilioEnv>[]): Hono<TwilioEnv> {
  const app = new Hono<TwilioEnv>();
  app.use(callerKnown(world), parentActive(world), async (context, next) => {
    context.set("account", context.get("caller"));
    return next();
  });
  for (const routes of products) app.route("/", routes);
  return app;
}

function callerKnown(world: World): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    const caller = authenticate(world, context.req.header("authorization"));
    if (caller.kind === "refused") return refuse(context, caller.refusal);
    context.set("caller", caller.account);
    context.set("credential", caller.credential);
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
