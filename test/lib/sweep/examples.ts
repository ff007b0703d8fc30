import type { Incident } from "../../../lib/incidents/incident.ts";
import { openIncident } from "../../../lib/incidents/record.ts";
import { type AccountMemory, type Known, NOTHING_KNOWN } from "../../../lib/sweep/known.ts";
import { type WantedTrigger, wantedTriggers } from "../../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
import { policyOf } from "../../support/policies.ts";
import { firing, tripping } from "../../support/signals.ts";

export const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
export const PUBLIC_URL = "https://tollbreaker.example.com";
export const NOW = new Date("2026-10-04T12:00:00.000Z");

export const POLICY = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  monthly-spend: { category: totalprice, by: price, every: month, at: 900, then: suspend }
  texts: { category: sms, by: count, every: once, at: 5000, then: alert }
probation: { share: 0.25, for: 24h }
`);

export function timeBefore(milliseconds: number, of = NOW): Date {
  return new Date(of.getTime() - milliseconds);
}

export function sid(number: number): string {
  return `UT${number.toString(16).padStart(32, "0")}`;
}

export type Changes = Partial<UsageTrigger>;

/** As Twilio lists it. */
export function listed(wanted: WantedTrigger, number: number, changes: Changes = {}): UsageTrigger {
  const { limit: _, ...rest } = wanted;
  return {
    ...rest,
    accountSid: ACCOUNT,
    sid: sid(number),
    callbackMethod: "POST",
    currentValue: "0",
    dateFired: null,
    ...changes,
  };
}

/** What the policy wants, in its order, each as Twilio lists it. */
export function inOrder(changes: Readonly<Record<string, Changes>> = {}, policy = POLICY): UsageTrigger[] {
  const wanted = wantedTriggers(policy, ACCOUNT, PUBLIC_URL);
  return wanted.map((one, index) => listed(one, index + 1, changes[one.limit]));
}

/** An active account of which nothing was dealt with. */
export const UNTOUCHED = { status: "active", handled: new Map<string, string>() };

/** RFC 2822, as in DateFired. */
export function rfc2822(time: Date): string {
  return time.toUTCString().replace("GMT", "+0000");
}

export function remembered(changes: Partial<AccountMemory> = {}): Known {
  const spent = { values: {}, sampledAt: null, spentAt: null, over: {} };
  const nothing = { firstSeenIn: "earlier", ...spent, drift: null, hasBeenActive: true, repairedIn: null };
  return { ...NOTHING_KNOWN, memory: { ...nothing, ...changes } };
}

export function withIncident(changes: Partial<Incident>, { callsDue = false } = {}): Known {
  const { record } = openIncident("an-incident", tripping(firing(ACCOUNT)), NOW);
  return { ...remembered(), open: { incident: { ...record.incident, ...changes }, callsDue } };
}
