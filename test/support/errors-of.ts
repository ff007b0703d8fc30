import { randomBytes } from "node:crypto";
import type { ErrorEvent } from "../../lib/webhooks/error-event.ts";

export const newEventSid = (): string => `NO${randomBytes(16).toString("hex")}`;

/** So many different errors of one account, as the webhooks read them. */
export function errorsOf(accountSid: string, times: number, changes: Partial<ErrorEvent> = {}): ErrorEvent[] {
  return Array.from({ length: times }, () => ({
    sid: newEventSid(),
    accountSid,
    code: 30450,
    at: new Date().toISOString(),
    level: "ERROR",
    road: "debugger",
    note: "Message delivery blocked",
    ...changes,
  }));
}
