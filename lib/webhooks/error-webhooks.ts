import type { Hono } from "hono";
import { debuggerWebhook } from "./debugger.ts";
import type { ErrorSource } from "./error-source.ts";
import { eventStreamsWebhook } from "./event-streams.ts";
import { webhookApp } from "./receive-webhook.ts";

/** Both roads on which Twilio tells of errors: they share their windows, so that the same event counts once. */
export function errorWebhooks(source: ErrorSource): Hono {
  return webhookApp([debuggerWebhook(source), eventStreamsWebhook(source)], source);
}
