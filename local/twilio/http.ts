import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Credential } from "./access.ts";
import type { Account } from "./state.ts";

/** What the routes of the simulated API find in their context. */
export interface TwilioEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Whose credentials came with the request. */
    caller: Account;
    /** Which of its credentials. */
    credential: Credential;
    /** The account that the path names. */
    account: Account;
    /** The form parameters; of a repeated name the first counts. */
    form: URLSearchParams;
  };
}

export type TwilioContext = Context<TwilioEnv>;

/** The path as the API knows it, without the simulator's product prefix: `/2010-04-01/Accounts.json`. */
export const apiPath = (url: string): string => new URL(url).pathname.replace(/^\/[^/]+/, "");

/**
 * Where the product of this request is served: `http://127.0.0.1:3001/events` here, https://events.twilio.com there. So
 * the whole addresses in an answer lead back to the simulator.
 */
export function apiBase(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}/${pathname.split("/")[1] ?? ""}`;
}

export const queryIn = (context: Context): URLSearchParams => new URL(context.req.url).searchParams;

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
