import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";

/** A route that Twilio posts to. What it answers has no body: there is nobody to read it. */
export interface Webhook {
  /** Fixed, and ours: signatures are made over the public URL and this. */
  path: `/webhooks/${string}`;
  /** Media types, in lower case. */
  accepts: readonly string[];
  receive(request: ReceivedRequest): Promise<WebhookAnswer>;
}

/** 204 stored, or nothing to store; 403 not genuine; 503 it may be genuine, and could not be dealt with now. */
export type WebhookAnswer = 204 | 403 | 503;

export interface ReceivedRequest {
  /** Exactly as received. */
  body: Uint8Array<ArrayBuffer>;
  /** The public URL with the query as it came: what Twilio signed. */
  url: string;
  /** The X-Twilio-Signature header. */
  signature: string | undefined;
}

const MOST_BYTES = 256 * 1024;

/** Serves `webhooks`, each under its own path. */
export function webhookApp(webhooks: readonly Webhook[], { publicUrl, log }: { publicUrl: string; log: Log }): Hono {
  const app = new Hono();
  for (const webhook of webhooks) addRoute(app, webhook, publicUrl);
  app.onError((error, context) => {
    log.error("webhook-failed", { reason: messageOf(error) });
    return context.body(null, 503);
  });
  return app;
}

function addRoute(app: Hono, { path, accepts, receive }: Webhook, publicUrl: string): void {
  const limit = bodyLimit({ maxSize: MOST_BYTES, onError: (context: Context) => context.body(null, 413) });
  for (const served of pathsOf(path, publicUrl)) {
    app.post(served, requireType(accepts), limit, async (context) =>
      context.body(null, await receive(await requestOf(context, withoutSlash(publicUrl) + path))),
    );
    app.all(served, (context) => context.body(null, 405, { allow: "POST" }));
  }
}

// A gateway or proxy in front may pass the base path of the public URL on, or take it away.
function pathsOf(path: string, publicUrl: string): Set<string> {
  return new Set([path, new URL(withoutSlash(publicUrl) + path).pathname]);
}

function requireType(accepts: readonly string[]) {
  return async (context: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const [mediaType = ""] = (context.req.header("content-type") ?? "").split(";");
    if (!accepts.includes(mediaType.trim().toLowerCase())) return context.body(null, 415);
    await next();
    return undefined;
  };
}

async function requestOf({ req }: Context, address: string): Promise<ReceivedRequest> {
  const query = req.url.indexOf("?");
  return {
    body: new Uint8Array(await req.arrayBuffer()),
    url: address + (query === -1 ? "" : req.url.slice(query)),
    signature: req.header("x-twilio-signature"),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

/** The text that `bytes` hold; undefined where they are not UTF-8. No byte is lost: a byte order mark was signed, too. */
export function decodeUtf8(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
