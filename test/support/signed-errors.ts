import { randomUUID } from "node:crypto";
import { signText } from "../../lib/twilio/signature.ts";
import { newEventSid } from "./errors-of.ts";
import type { Pairs } from "./signed-webhook.ts";

/** What Twilio would send about errors, by both roads, and the ways in which it can be wrong. */
export const DEBUGGER_PATH = "/webhooks/debugger";
export const EVENT_STREAMS_PATH = "/webhooks/event-streams";

type Changes = Record<string, string | readonly string[] | undefined>;

/** Twilio's own example; undefined leaves a parameter out, a list repeats it. */
export function debuggerForm(accountSid: string, payload: unknown, changes: Changes = {}): Pairs {
  const parameters = {
    AccountSid: accountSid,
    Level: "ERROR",
    ParentAccountSid: "",
    PayloadType: "application/json",
    Sid: newEventSid(),
    Timestamp: "2020-01-01T23:28:54Z",
    Payload: typeof payload === "string" ? payload : JSON.stringify(payload),
    ...changes,
  };
  return Object.entries(parameters).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one] as const));
}

export function errorPayload(code: number | string = "30450", more: object = {}) {
  return {
    resource_sid: `SM${"0".repeat(32)}`,
    service_sid: null,
    error_code: code,
    more_info: { Msg: "Message delivery blocked", ErrorCode: String(code), LogLevel: "ERROR" },
    ...more,
  };
}

/** One CloudEvent of an error; `data` is changed as told. */
export function errorLogged(accountSid: string, data: Record<string, unknown> = {}, envelope: object = {}) {
  const sid = newEventSid();
  return {
    specversion: "1.0",
    type: "com.twilio.error-logs.error.logged",
    source: `AB${"0".repeat(32)}`,
    id: sid,
    dataschema: "https://events-schemas.twilio.com/ErrorLogs.Error/2",
    data: {
      sid,
      account_sid: accountSid,
      date_created: "2025-01-01T00:00:00.000Z",
      level: "ERROR",
      product_name: "Programmable Messaging",
      error_code: "30450",
      payload: JSON.stringify({ error_code: 30450, message: "Message delivery blocked" }),
      ...data,
    },
    ...envelope,
  };
}

export interface SignedEvents {
  authToken: string;
  /** The URL that Twilio was told. */
  url: string;
  /** Sent as JSON, or as it is where it is text. */
  events: unknown;
  /** Sent in place of what was signed. */
  body?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

/** The request that Event Streams makes: its URL with the body's hash, and what goes with it. */
export function signedEvents({ authToken, url, events, body, headers = {} }: SignedEvents) {
  const text = typeof events === "string" ? events : JSON.stringify(events);
  const signed = signText(authToken, { url, text });
  const allHeaders = {
    "content-type": "application/json",
    "x-twilio-signature": signed.signature,
    "i-twilio-idempotency-token": randomUUID(),
    ...headers,
  };
  const init = { method: "POST", body: body ?? text, headers: allHeaders };
  return { query: new URL(signed.url).search, text, headers: allHeaders, init };
}
