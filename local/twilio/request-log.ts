import type { MiddlewareHandler } from "hono";
import type { Clock } from "../../lib/clock.ts";
import { apiPath, type TwilioEnv } from "./http.ts";
import { Ring } from "./ring.ts";

/** A request that the simulated API received. Its Authorization header is never kept. */
export interface ReceivedRequest {
  at: Date;
  method: string;
  /** The first path segment: `api` for what Twilio serves at api.twilio.com. */
  product: string;
  /** As the API knows it: `/2010-04-01/Accounts.json`. */
  path: string;
  /** As received, without the question mark. */
  query: string;
  form: Record<string, string>;
  /** The user name of the Basic credentials; null where there were none. */
  credentialsSid: string | null;
  /** The status answered; null where the connection was cut or left without an answer. */
  status: number | null;
}

/** The last requests, and how many there were of each kind. */
export class RequestLog {
  readonly recent: Ring<ReceivedRequest>;
  readonly #counts = new Map<string, number>();

  constructor(capacity: number) {
    this.recent = new Ring(capacity);
  }

  add(request: ReceivedRequest): void {
    this.recent.push(request);
    const kind = `${request.method} ${request.path.replaceAll(/\b[A-Z]{2}[0-9a-fA-F]{32}\b/g, "{Sid}")}`;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** By method and path, SIDs written as `{Sid}`: `POST /2010-04-01/Accounts/{Sid}.json`. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  reset(): void {
    this.recent.reset();
    this.#counts.clear();
  }
}

/** Reads the form once, and records each request as it arrives: also those that will never be answered. */
export function recording(log: RequestLog, clock: Clock): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    const form = new URLSearchParams(context.req.method === "POST" ? await context.req.text() : "");
    const { pathname, search } = new URL(context.req.url);
    const request: ReceivedRequest = {
      at: clock.now(),
      method: context.req.method,
      product: pathname.split("/")[1] ?? "",
      path: apiPath(context.req.url),
      query: search.slice(1),
      form: Object.fromEntries(form),
      credentialsSid: userNameIn(context.req.header("authorization")),
      status: null,
    };
    log.add(request);
    context.set("form", form);
    await next();
    request.status = context.res.status;
  };
}

/** The user name of Basic credentials. */
export function userNameIn(authorization: string | undefined): string | null {
  const [, encoded] = authorization?.split(" ") ?? [];
  if (encoded === undefined) return null;
  return Buffer.from(encoded, "base64").toString("utf8").split(":")[0] ?? null;
}
