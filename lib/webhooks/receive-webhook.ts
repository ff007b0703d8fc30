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
  /** What a genuine request never exceeds. More is 413, before anything is looked up, parsed or hashed. */
  most: Most;
  receive(request: ReceivedRequest): Promise<WebhookAnswer>;
}

interface Most {
  bytes: number;
  /** Of a form. */
  parameters?: number;
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

/**
 * More is 413 while it still comes. Less is read to its end even where a route takes less: who is answered before has
 * sent all may see no more than a cut connection.
 */
const MOST_READ_BYTES = 256 * 1024;

/** An address holds a limit's name and little more. A longer query is 414: each way to write it is hashed. */
const LONGEST_QUERY = 2048;

/** Serves `webhooks`, each under its own path. */
export function webhookApp(webhooks: readonly Webhook[], { publicUrl, log }: { publicUrl: string; log: Log }): Hono {
  const app = new Hono();
  for (const webhook of webhooks) addRoute(app, webhook, publicUrl);
  app.onError((error, context) => {
    log.error("webhook-failed", { reason: messageOf(error) });
    return context.body(null, undecided(log, "failed"));
  });
  return app;
}

/** Answers a request that was not verified. */
export function turnAway(log: Log, { kind, why }: { kind: "refused" | "undecided"; why: string }): 403 | 503 {
  return kind === "refused" ? refused(log, why) : undecided(log, why);
}

/** Not genuine. */
function refused(log: Log, why: string): 403 {
  log.count("WebhooksRefused", 1, { why });
  return 403;
}

/** It may be genuine: Twilio tries again. Anybody can bring this about, so no alarm stands on it. */
export function undecided(log: Log, why: string): 503 {
  log.count("WebhooksUndecided", 1, { why });
  return 503;
}

/** Rightly signed, and not stored: nobody but the holder of a token brings this about. */
export function notStored(log: Log, kind: string): 503 {
  log.count("WebhooksNotStored", 1, { kind });
  return 503;
}

function addRoute(app: Hono, { path, accepts, most, receive }: Webhook, publicUrl: string): void {
  const tooLarge = (context: Context) => context.body(null, 413);
  const limit = bodyLimit({ maxSize: MOST_READ_BYTES, onError: tooLarge });
  for (const served of pathsOf(path, publicUrl)) {
    app.post(served, requireType(accepts), limitQuery, limit, async (context) => {
      const request = await requestOf(context, withoutSlash(publicUrl) + path);
      return isWithin(most, request) ? context.body(null, await receive(request)) : tooLarge(context);
    });
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

async function limitQuery(context: Context, next: () => Promise<void>): Promise<Response | undefined> {
  if (queryOf(context.req.url).length > LONGEST_QUERY) return context.body(null, 414);
  await next();
  return undefined;
}

function isWithin({ bytes, parameters = Number.POSITIVE_INFINITY }: Most, { body }: ReceivedRequest): boolean {
  return body.byteLength <= bytes && !hasMoreThan(parameters - 1, AMPERSAND, body);
}

const AMPERSAND = 0x26;

function hasMoreThan(most: number, byte: number, bytes: Uint8Array): boolean {
  let count = 0;
  for (let at = bytes.indexOf(byte); at !== -1 && count <= most; at = bytes.indexOf(byte, at + 1)) count += 1;
  return count > most;
}

async function requestOf({ req }: Context, address: string): Promise<ReceivedRequest> {
  return {
    body: new Uint8Array(await req.arrayBuffer()),
    url: address + queryOf(req.url),
    signature: req.header("x-twilio-signature"),
  };
}

/** With its question mark. */
function queryOf(url: string): string {
  const start = url.indexOf("?");
  return start === -1 ? "" : url.slice(start);
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
