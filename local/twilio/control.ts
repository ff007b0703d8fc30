import { type Context, type Handler, Hono } from "hono";
import * as z from "zod/mini";
import { TollbreakerError } from "../../lib/errors.ts";
import { KeyOrder } from "./account-controls.ts";
import { Attack } from "./attacks.ts";
import { BillingGlitch } from "./billing-glitch.ts";
import { CallsOrder, type Controls, SpendOrder, UsageOrder } from "./controls.ts";
import { DebuggerWebhookOrder } from "./error-controls.ts";
import { ErrorOrder } from "./error-events.ts";
import { Fault } from "./faults.ts";
import { ACCOUNT_STATUSES } from "./state.ts";

const StatusOrder = z.object({ status: z.enum(ACCOUNT_STATUSES) });
const NewSubaccount = z.object({ friendlyName: z.optional(z.string()), currency: z.optional(z.string()) });
const Advance = z.object({ milliseconds: z.int().check(z.positive()) });

/** The simulator's own API, JSON both ways: the methods of `Controls` by HTTP. It asks for no credentials. */
export function controlRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.get("/", (context) =>
    context.json({ parent: controls.parent(), subaccounts: controls.subaccounts(), attacks: controls.attacks() }),
  );
  app.post("/evaluate", doing(controls.evaluateTriggers));
  app.post(
    "/advance",
    doing(async (context) => controls.advance((await body(context, Advance)).milliseconds)),
  );
  app.post("/billing-glitch", async (context) =>
    context.json(controls.startBillingGlitch(await body(context, BillingGlitch)), 201),
  );
  app.route("/accounts", accountControlRoutes(controls));
  app.route("/faults", faultControlRoutes(controls));
  app.route("/", recordRoutes(controls));
  app.onError(explain);
  return app;
}

function accountControlRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.post("/", async (context) => {
    const { friendlyName, currency } = await body(context, NewSubaccount);
    const seed = { ...(friendlyName && { friendlyName }), ...(currency && { currency }) };
    return context.json(controls.addSubaccount(seed), 201);
  });
  app.get("/:AccountSid", (context) => context.json(controls.account(sidIn(context))));
  app.put(
    "/:AccountSid/status",
    doing(async (context) => controls.setStatus(sidIn(context), (await body(context, StatusOrder)).status)),
  );
  app.post(
    "/:AccountSid/suspend-by-twilio",
    doing((context) => controls.suspendByTwilio(sidIn(context))),
  );
  app.post("/:AccountSid/rotate-auth-token", (context) =>
    context.json({ authToken: controls.rotateAuthToken(sidIn(context)) }),
  );
  app.post(
    "/:AccountSid/triggers/:Sid/fire",
    doing((context) => controls.fireTrigger(sidIn(context), context.req.param("Sid") ?? "")),
  );
  app.route("/", belongingControlRoutes(controls));
  app.route("/", spendControlRoutes(controls));
  app.route("/", debuggerControlRoutes(controls));
  return app;
}

function belongingControlRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.get("/:AccountSid/keys", (context) => context.json({ keys: controls.keys(sidIn(context)) }));
  app.post("/:AccountSid/keys", async (context) =>
    context.json(controls.stealKey(sidIn(context), await body(context, KeyOrder)), 201),
  );
  app.get("/:AccountSid/phone-numbers", (context) =>
    context.json({ phoneNumbers: controls.phoneNumbers(sidIn(context)) }),
  );
  app.get("/:AccountSid/dialing-permissions", (context) => context.json(controls.dialingPermissions(sidIn(context))));
  return app;
}

function spendControlRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.post("/:AccountSid/attack", async (context) =>
    context.json(controls.startAttack(sidIn(context), await body(context, Attack)), 201),
  );
  app.delete(
    "/:AccountSid/attack",
    doing((context) => controls.stopAttack(sidIn(context))),
  );
  app.post(
    "/:AccountSid/usage",
    doing(async (context) => controls.addUsage(sidIn(context), await body(context, UsageOrder))),
  );
  app.put(
    "/:AccountSid/spend",
    doing(async (context) => controls.setSpend(sidIn(context), await body(context, SpendOrder))),
  );
  app.post("/:AccountSid/calls", async (context) =>
    context.json({ calls: controls.addCalls(sidIn(context), await body(context, CallsOrder)) }, 201),
  );
  return app;
}

function debuggerControlRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.get("/:AccountSid/debugger-webhook", (context) => context.json(controls.debuggerWebhook(sidIn(context))));
  app.put(
    "/:AccountSid/debugger-webhook",
    doing(async (context) => controls.setDebuggerWebhook(sidIn(context), await body(context, DebuggerWebhookOrder))),
  );
  app.delete(
    "/:AccountSid/debugger-webhook",
    doing((context) => controls.setDebuggerWebhook(sidIn(context), null)),
  );
  app.post("/:AccountSid/errors", async (context) =>
    context.json({ errors: controls.raiseErrors(sidIn(context), await body(context, ErrorOrder)) }, 201),
  );
  return app;
}

function faultControlRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.get("/", (context) => context.json({ faults: controls.faults() }));
  app.post("/", async (context) => context.json(controls.addFault(await body(context, Fault)), 201));
  app.delete("/", doing(controls.clearFaults));
  return app;
}

function recordRoutes(controls: Controls): Hono {
  const app = new Hono();
  app.get("/requests", (context) => context.json({ requests: controls.requests(), counts: controls.requestCounts() }));
  app.delete("/requests", doing(controls.resetRequests));
  app.get("/deliveries", (context) => context.json({ deliveries: controls.deliveries() }));
  app.delete("/deliveries", doing(controls.resetDeliveries));
  app.get("/errors", (context) => context.json({ errors: controls.errors() }));
  app.get("/error-deliveries", (context) => context.json({ deliveries: controls.errorDeliveries() }));
  app.delete("/error-deliveries", doing(controls.resetErrorDeliveries));
  app.post("/errors-settled", doing(controls.errorsSettled));
  return app;
}

/** A handler that answers 204 once `act` is through. */
function doing(act: (context: Context) => unknown): Handler {
  return async (context) => {
    await act(context);
    return context.body(null, 204);
  };
}

const sidIn = (context: Context): string => context.req.param("AccountSid") ?? "";

async function body<T extends z.core.$ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  const text = await context.req.text();
  return z.parse(schema, text === "" ? {} : JSON.parse(text));
}

function explain(thrown: Error, context: Context): Response {
  if (thrown instanceof TollbreakerError) return context.json({ code: thrown.code, message: thrown.message }, 404);
  if (thrown instanceof z.core.$ZodError) return context.json({ code: "invalid", problems: thrown.issues }, 422);
  if (thrown instanceof SyntaxError) return context.json({ code: "not-json", message: thrown.message }, 400);
  throw thrown;
}
