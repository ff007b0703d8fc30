import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { Log } from "../log.ts";
import type { ErrorRule, Policy } from "../policy/policy.ts";
import type { ErrorEvent, Reading, Road } from "./error-event.ts";
import type { ErrorWindows, Tally } from "./error-windows.ts";

/** What becomes of errors once they are known to come from Twilio. */
export interface ErrorCounter {
  /** @throws when something was not counted or not stored: the request has to be repeated, which counts nothing twice. */
  count(readings: readonly Reading[], request: ErrorRequest): Promise<void>;
}

interface ErrorRequest {
  road: Road;
  signedBy: "subaccount" | "parent";
  /** Aborted when the request must have been answered. */
  signal: AbortSignal;
}

export interface ErrorCounterOptions {
  rules: Policy["errors"];
  windows: ErrorWindows;
  inbox: Inbox;
  clock: Clock;
  log: Log;
}

/** Windows of different accounts that are written at the same time; a request holds a few hundred events at most. */
const AT_ONCE = 10;

export function errorCounter({ rules, windows, inbox, clock, log }: ErrorCounterOptions): ErrorCounter {
  const listing = rulesByCode(rules);
  // One entry for each account of ours that ever sent what could not be read.
  const toldOn = new Map<string, string>();

  async function count(readings: readonly Reading[], { road, signedBy, signal }: ErrorRequest): Promise<void> {
    log.count("ErrorEvents", readings.length, { road, signedBy });
    const events = readings.flatMap((reading) => (reading.kind === "event" ? [reading.event] : []));
    const tallies = talliesOf(events, listing).map((tally) => ({ ...tally, signedBy }));
    const atOnce = pLimit(AT_ONCE);
    await Promise.all(tallies.map((tally) => atOnce(() => windows.count(tally, signal))));
    await tellUnreadable(readings);
  }

  async function tellUnreadable(readings: readonly Reading[]): Promise<void> {
    const unreadable = readings.filter((reading) => reading.kind === "unreadable");
    if (unreadable.length === 0) return;
    log.count("ErrorEventsUnreadable", unreadable.length);
    const byAccount = new Map(unreadable.map((reading) => [reading.accountSid, reading.problem]));
    await Promise.all([...byAccount].map(([accountSid, problem]) => tellOnceADay(accountSid, problem)));
  }

  // Authentic, so it is never dropped in silence; but no sign of spend, so it is told once.
  async function tellOnceADay(accountSid: string, problem: string): Promise<void> {
    const receivedAt = clock.now().toISOString();
    const day = receivedAt.slice(0, 10);
    if (toldOn.get(accountSid) === day) return;
    const id = `errors-unreadable:${day}`;
    // Once a day by itself: a webhook that could not be understood must not stand for it.
    await inbox.put({ kind: "not-understood", id, accountSid, receivedAt, problem, fields: {} });
    log.warn("error-event-unreadable", { accountSid, problem });
    toldOn.set(accountSid, day);
  }

  return { count };
}

type NamedRule = ErrorRule & { name: string };

function rulesByCode(rules: Policy["errors"]): ReadonlyMap<number, readonly NamedRule[]> {
  const named = Object.entries(rules).map(([name, rule]) => ({ ...rule, name }));
  const codes = new Set(named.flatMap((rule) => rule.codes));
  return new Map([...codes].map((code) => [code, named.filter((rule) => rule.codes.includes(code))]));
}

/** An event counts in each rule that lists its code; one that no rule lists costs nothing more. */
function talliesOf(
  events: readonly ErrorEvent[],
  listing: ReadonlyMap<number, readonly NamedRule[]>,
): Omit<Tally, "signedBy">[] {
  const tallies = new Map<string, Omit<Tally, "signedBy" | "events"> & { events: ErrorEvent[] }>();
  for (const event of events) {
    for (const { name: rule, count, within } of listing.get(event.code) ?? []) {
      const { accountSid } = event;
      const key = `${accountSid} ${rule}`;
      const tally = tallies.get(key) ?? { accountSid, rule, limits: { count, within }, events: [] };
      tally.events.push(event);
      tallies.set(key, tally);
    }
  }
  return [...tallies.values()];
}
