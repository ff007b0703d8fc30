import type { Nudge } from "../inbox/nudges.ts";
import type { Incident } from "../incidents/incident.ts";
import { endsTampering } from "../policy/exemption.ts";
import type { Policy } from "../policy/policy.ts";
import type { OpenIncident } from "./known.ts";
import type { SweptAccount } from "./shard.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Whoever is at it writes something within this time. */
const STUCK_AFTER = 2 * MINUTE;
/** Less than a message is tried in the follow-up queue (serverless.yml: 50 times, in ten hours), so that one always is. */
const DRIVEN_ANEW_AFTER = 6 * HOUR;
/** The status was listed a moment ago, and an account is suspended from one moment to the next. */
const TAMPERED_AFTER = 2 * MINUTE;

export interface Watch {
  account: SweptAccount;
  /** When its status was listed, ISO 8601 UTC. */
  listedAt: string;
  policy: Policy;
  now: Date;
}

/** Pure. What the responder should look at, of an account with an open incident. */
export function watchIncident(open: OpenIncident | undefined, watch: Watch): Nudge[] {
  if (open === undefined) return [];
  const nudges = [tampered(open, watch), stuck(open, watch), waiting(open, watch)];
  return nudges.filter((nudge) => nudge !== undefined);
}

/** We suspended it, nobody reactivated it here, and Twilio lists it as active. */
function tampered({ incident }: OpenIncident, watch: Watch): Nudge | undefined {
  const { account, listedAt } = watch;
  const { suspendedAt } = incident;
  if (account.status !== "active" || incident.state !== "suspended" || suspendedAt === null) return undefined;
  if (Date.parse(listedAt) - Date.parse(suspendedAt) < TAMPERED_AFTER) return undefined;
  return { kind: "tampered", ...envelope(incident, `tampered:${incident.id}:${occasion(incident, watch)}`, watch) };
}

/** Told once in a day, of each suspension that somebody undid; suspended again, each time that it is found active. */
function occasion({ suspendedAt }: Incident, { account, listedAt, policy, now }: Watch): string {
  if (endsTampering(account.accountSid, policy, now)) return listedAt;
  return `${suspendedAt}:${now.toISOString().slice(0, 10)}`;
}

/** Something is still to be done, and nobody is at it. */
function stuck({ incident, callsDue }: OpenIncident, watch: Watch): Nudge | undefined {
  const { state, failure, alerts, updatedAt } = incident;
  // One that failed, until a person ends it: whatever Twilio said, it may do it now.
  const isUnderWay = state === "open" || state === "reactivating" || state === "failed" || failure?.retrying === true;
  const isDue = isUnderWay || callsDue || alerts.some(({ publishedAt }) => publishedAt === null);
  const still = standstill(updatedAt, watch.now);
  if (!isDue || still === undefined) return undefined;
  // A suspension that failed with each sweep, even where nothing has changed.
  return drive(incident, state === "failed" ? watch.listedAt : still, watch);
}

/**
 * Pure. Incidents that are over: people may still have to be told. That they were, and nobody struck the incident off, is
 * for the responder to see.
 */
export function watchUntold(untold: readonly Incident[], now: Date): Nudge[] {
  return untold.flatMap((incident) => {
    const still = standstill(incident.updatedAt, now);
    return still === undefined ? [] : [drive(incident, still, { now })];
  });
}

/** A name for it: another one after some hours, as what waits in the queues is given up in the end. */
function standstill(updatedAt: string, now: Date): string | undefined {
  const rest = now.getTime() - Date.parse(updatedAt);
  return rest < STUCK_AFTER ? undefined : `${updatedAt}:${Math.floor(rest / DRIVEN_ANEW_AFTER)}`;
}

function drive(incident: Incident, occasion: string, watch: Pick<Watch, "now">): Nudge {
  return { kind: "drive", ...envelope(incident, `drive:${incident.id}:${occasion}`, watch) };
}

/** A person is asked again: after half an hour, two hours, and then each day. */
function waiting({ incident }: OpenIncident, watch: Watch): Nudge | undefined {
  const since = waitsSince(incident);
  if (since === undefined) return undefined;
  const waited = watch.now.getTime() - Date.parse(since);
  const count = remindersDue(waited);
  if (count === 0) return undefined;
  return { kind: "remind", ...envelope(incident, `remind:${incident.id}:${count}`, watch), waited };
}

/** Since when it waits for a person; undefined when it does not. */
function waitsSince({ state, because, suspendedAt, alerts, openedAt, failure }: Incident): string | undefined {
  switch (state) {
    case "suspended":
      return suspendedAt ?? openedAt;
    case "alerted":
    case "failed":
      if (because === "rule" || failure?.retrying === true) return undefined;
      // Not `updatedAt`: each reminder is an update.
      return alerts.find(({ about }) => about === state)?.at ?? openedAt;
    case "open":
    case "reactivating":
    case "reactivated":
    case "dismissed":
      return undefined;
  }
}

/** How many reminders should have been sent after so many milliseconds. */
export function remindersDue(waited: number): number {
  if (waited >= DAY) return 2 + Math.floor(waited / DAY);
  if (waited >= 2 * HOUR) return 2;
  return waited >= 30 * MINUTE ? 1 : 0;
}

function envelope(incident: Incident, id: string, { now }: Pick<Watch, "now">) {
  return { id, accountSid: incident.accountSid, incidentId: incident.id, receivedAt: now.toISOString() };
}
