import { isIgnored } from "../policy/error-codes.ts";
import { redact } from "./redact.ts";

/** One line of an account's debugger, however it came to us. */
export interface ErrorEvent {
  /** `NO...`: the same by both roads. */
  sid: string;
  accountSid: string;
  /** https://www.twilio.com/docs/api/errors */
  code: number;
  /** When it reached us, ISO 8601 UTC: the sender's own time proves nothing. */
  at: string;
  /** In capitals: `ERROR`, `WARNING`. */
  level: string;
  road: Road;
  /** Twilio's own short message, redacted; may be empty. */
  note: string;
}

export type Road = "debugger" | "event-streams";

export type Reading =
  | { kind: "event"; event: ErrorEvent }
  /** Never counted: its level, its code, or that it is about our own webhooks says so. */
  | { kind: "ignored" }
  /** Rightly signed, and not what was agreed. `problem` holds nothing of what was sent. */
  | { kind: "unreadable"; accountSid: string; problem: string };

/** What a road knows of an event before its payload is read; the payload may be anything. */
export interface RawEvent {
  sid: unknown;
  accountSid: string;
  code?: unknown;
  level: unknown;
  /** JSON text, or already what it holds. */
  payload: unknown;
}

export interface Reader {
  road: Road;
  publicUrl: string;
  receivedAt: Date;
}

/**
 * Reads what both roads share. The documented names are looked for and nothing else is touched, so that no payload,
 * whatever it holds, costs more than its parsing.
 */
export function readEvent(raw: RawEvent, { road, publicUrl, receivedAt }: Reader): Reading {
  const level = levelOf(raw.level);
  if (IGNORED_LEVELS.includes(level)) return { kind: "ignored" };
  const payload = typeof raw.payload === "string" ? parseJson(raw.payload) : raw.payload;
  if (isAboutUs(payload, publicUrl)) return { kind: "ignored" };
  const sid = sidOf(raw.sid);
  const code = codeOf([
    raw.code,
    property(payload, "error_code"),
    property(property(payload, "more_info"), "ErrorCode"),
  ]);
  if (code !== undefined && isIgnored(code)) return { kind: "ignored" };
  if (sid === undefined) return unreadable(raw, road, "its Sid is not NO and 32 hexadecimal digits");
  if (code === undefined) return unreadable(raw, road, "it has no error_code that could be read");
  const at = receivedAt.toISOString();
  return { kind: "event", event: { sid, accountSid: raw.accountSid, code, at, level, road, note: noteOf(payload) } };
}

/** `value[name]` where `value` is an object with such a property of its own. */
export function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** What `text` holds; undefined where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// https://www.twilio.com/docs/usage/monitor-alert knows error, warning, notice and debug; Event Streams has INFO.
const IGNORED_LEVELS = ["DEBUG", "INFO", "NOTICE"];

function levelOf(level: unknown): string {
  return typeof level === "string" && /^[a-z]{1,16}$/i.test(level) ? level.toUpperCase() : "UNKNOWN";
}

function sidOf(sid: unknown): string | undefined {
  return typeof sid === "string" && /^NO[0-9a-fA-F]{32}$/.test(sid) ? sid : undefined;
}

function codeOf(candidates: readonly unknown[]): number | undefined {
  const texts = candidates.filter((one) => typeof one === "string" || typeof one === "number").map(String);
  const code = texts.find((text) => /^[1-9]\d{0,5}$/.test(text.trim()));
  return code === undefined ? undefined : Number(code);
}

// Names as seen in Twilio's examples.
function noteOf(payload: unknown): string {
  const info = property(payload, "more_info");
  const messages = [property(info, "Msg"), property(info, "msg"), property(payload, "message")];
  const message = messages.find((one) => typeof one === "string" && one !== "");
  return typeof message === "string" ? redact(message) : "";
}

/**
 * An error of one of our own webhooks. To answer it would make a loop: each answer that Twilio dislikes is a new event.
 */
function isAboutUs(payload: unknown, publicUrl: string): boolean {
  const url = property(property(property(payload, "webhook"), "request"), "url");
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  const ours = new URL(`${publicUrl.replace(/\/+$/, "")}/webhooks/`);
  const { origin, pathname } = new URL(url);
  return origin === ours.origin && pathname.startsWith(ours.pathname);
}

function unreadable({ accountSid }: RawEvent, road: Road, problem: string): Reading {
  return { kind: "unreadable", accountSid, problem: `an event by ${road} cannot be counted: ${problem}` };
}
