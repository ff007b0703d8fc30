import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { Signal } from "../inbox/messages.ts";
import type { Log } from "../log.ts";
import type { SigningTokens } from "./signing-tokens.ts";
import { readFiring } from "./usage-trigger-firing.ts";
import { verifyForm } from "./verified-form.ts";

export interface UsageTriggerWebhook {
  /** The base URL that Twilio was told; signatures are made over it. */
  publicUrl: string;
  tokens: SigningTokens;
  inbox: Inbox;
  clock: Clock;
  log: Log;
}

const PATH = "/webhooks/usage-trigger";
const MOST_BYTES = 256 * 1024;

/**
 * Takes the callbacks of usage triggers: verify, then store, then 2xx. Twilio retries three times after a 5xx, and
 * never after a 4xx; so 503 whenever a message may be genuine and is not stored yet.
 */
export function usageTriggerWebhook(webhook: UsageTriggerWebhook): Hono {
  const app = new Hono();
  const tooLarge = (context: Context) => context.body(null, 413);
  for (const path of pathsOf(webhook.publicUrl)) {
    app.post(path, requireForm, bodyLimit({ maxSize: MOST_BYTES, onError: tooLarge }), (context) =>
      receive(context, webhook),
    );
    app.all(path, (context) => context.body(null, 405, { allow: "POST" }));
  }
  app.onError((error, context) => {
    webhook.log.error("webhook-failed", { reason: messageOf(error) });
    return context.body(null, 503);
  });
  return app;
}

// A gateway or proxy in front may pass the base path of the public URL on, or take it away.
function pathsOf(publicUrl: string): Set<string> {
  return new Set([PATH, new URL(withoutSlash(publicUrl) + PATH).pathname]);
}

async function requireForm(context: Context, next: () => Promise<void>): Promise<Response | undefined> {
  const [mediaType = ""] = (context.req.header("content-type") ?? "").split(";");
  if (mediaType.trim().toLowerCase() !== "application/x-www-form-urlencoded") return context.body(null, 415);
  await next();
  return undefined;
}

async function receive(context: Context, webhook: UsageTriggerWebhook): Promise<Response> {
  const url = publicAddress(webhook.publicUrl, context.req.url);
  const verification = await verifyForm(webhook.tokens, {
    body: new Uint8Array(await context.req.arrayBuffer()),
    url,
    signature: context.req.header("x-twilio-signature"),
  });
  switch (verification.kind) {
    case "refused":
      webhook.log.count("WebhooksRefused", 1, { why: verification.why });
      return context.body(null, 403);
    case "undecided":
      return context.body(null, 503);
    case "verified":
      return store(context, webhook, readFiring({ ...verification, url }, webhook.clock.now()));
  }
}

async function store(context: Context, { inbox, log }: UsageTriggerWebhook, signal: Signal): Promise<Response> {
  try {
    await inbox.put(signal);
    log.info("signal-stored", { kind: signal.kind, id: signal.id, accountSid: signal.accountSid });
    return context.body(null, 204);
  } catch (error) {
    log.error("signal-not-stored", { id: signal.id, accountSid: signal.accountSid, reason: messageOf(error) });
    return context.body(null, 503);
  }
}

// The path is ours and fixed, whatever arrived here; the query is taken as it came.
function publicAddress(publicUrl: string, requestUrl: string): string {
  const query = requestUrl.indexOf("?");
  return withoutSlash(publicUrl) + PATH + (query === -1 ? "" : requestUrl.slice(query));
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
