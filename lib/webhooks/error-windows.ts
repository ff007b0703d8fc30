import type { Clock } from "../clock.ts";
import { TollbreakerError } from "../errors.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { ErrorRuleSignal } from "../inbox/messages.ts";
import type { Log } from "../log.ts";
import type { ErrorRule } from "../policy/policy.ts";
import type { ErrorEvent } from "./error-event.ts";
import { inTurn } from "./in-turn.ts";
import type { Crossing, Entry, ErrorWindow, WindowName, WindowStore } from "./window-store.ts";

/**
 * Counts errors in sliding windows, one for each account and rule of the policy. The inbox gets one signal when a count
 * is reached, not one per error: so a flood of errors never delays a spend signal of the same account.
 */
export interface ErrorWindows {
  /**
   * Counts `tally.events`, each once however often it comes. Can be repeated.
   * @throws whatever the store or the inbox throws, and when `signal` is aborted: then it has to be repeated.
   */
  count(tally: Tally, signal: AbortSignal): Promise<void>;
}

/** Errors of one account that one rule counts; at least one. */
export interface Tally extends WindowName {
  limits: Pick<ErrorRule, "count" | "within">;
  events: readonly ErrorEvent[];
  /** Whose auth token signed the request that brought them. */
  signedBy: "subaccount" | "parent";
}

export interface ErrorWindowsOptions {
  store: WindowStore;
  inbox: Inbox;
  clock: Clock;
  log: Log;
}

/** DynamoDB's update expressions hold 4 KB: about 50 bytes for an error. */
const AT_ONCE = 25;
const FORGOTTEN_AT_ONCE = 100;
const MOST_SAMPLES = 10;
/** Event Streams retries for hours: an error is remembered for longer than that, so that it does not count twice. */
const REMEMBERED_FOR_MS = 24 * 3600_000;

/** What this warm function remembers of a window. */
interface Memory {
  /** Crossed, and told: nothing is counted until then. Milliseconds since the epoch. */
  quietUntil: number;
  /** How many errors it held when last seen. */
  size: number;
}

export function errorWindows({ store, inbox, clock, log }: ErrorWindowsOptions): ErrorWindows {
  const memories = new Map<string, Memory>();
  const now = () => clock.now().getTime();

  // One at a time, so that whoever waits learns from memory that the count has been reached meanwhile.
  const takeTurn = inTurn();
  const count = (tally: Tally, signal: AbortSignal) => takeTurn(nameOf(tally), () => countNow(tally, signal));

  async function countNow(tally: Tally, signal: AbortSignal): Promise<void> {
    for (let start = 0; start < tally.events.length; start += AT_ONCE) {
      signal.throwIfAborted();
      if (isQuiet(tally)) return;
      const window = await add({ ...tally, events: tally.events.slice(start, start + AT_ONCE) }, signal);
      await settle(tally, window, signal);
    }
  }

  function isQuiet(tally: Tally): boolean {
    return now() < (memories.get(nameOf(tally))?.quietUntil ?? 0);
  }

  async function add(tally: Tally, signal: AbortSignal): Promise<ErrorWindow> {
    const { limits } = tally;
    const entries = entriesOf(tally, memories.get(nameOf(tally))?.size ?? 0);
    const expiresAt = Math.ceil((now() + limits.within + REMEMBERED_FOR_MS) / 1000);
    const addition = { entries, most: 2 * limits.count, expiresAt };
    // The first write to a window takes a second look, and so does one that is full of old errors.
    for (let tries = 0; tries < 3; tries += 1) {
      const added = await store.add(tally, addition, signal);
      if (added !== undefined) return added;
      const found = await store.read(tally, signal);
      const made =
        found === undefined ? await store.begin(tally, addition, signal) : await makeRoom(tally, found, signal);
      if (made !== undefined) return made;
    }
    throw contended(tally);
  }

  /** @returns the window where it is full of errors that count: then there is no need of another. */
  async function makeRoom(tally: Tally, window: ErrorWindow, signal: AbortSignal): Promise<ErrorWindow | undefined> {
    const { count: needed, within } = tally.limits;
    const sids = Object.keys(window.events);
    const stale = sids.filter((sid) => !isFresh(window.events[sid], now() - within));
    if (stale.length > 0) await store.forget(tally, stale.slice(0, FORGOTTEN_AT_ONCE), signal);
    return stale.length === 0 && sids.length >= 2 * needed ? window : undefined;
  }

  /** Tells the inbox when the count is reached: the signal first and the mark after it, so that no crash loses one. */
  async function settle(tally: Tally, window: ErrorWindow, signal: AbortSignal): Promise<void> {
    const since = now() - tally.limits.within;
    remember(tally, { size: Object.keys(window.events).length, quietUntil: 0 });
    const earlier = recent(window.crossing, since);
    if (earlier?.told) return beQuiet(tally, earlier);
    // A crossing that nobody was told of is told now, with what it saw then.
    const fresh = freshIn(window, earlier === undefined ? since : earlier.at - tally.limits.within);
    if (earlier === undefined && fresh.length < tally.limits.count) return;

    const crossing = earlier ?? (await claim(tally, since, signal));
    if (!crossing.told) {
      await inbox.put(signalOf(tally, fresh, { id: crossing.signalId, receivedAt: clock.now().toISOString() }));
      await store.markTold(tally, crossing.signalId, signal);
      log.warn("error-rule-crossed", { accountSid: tally.accountSid, rule: tally.rule, id: crossing.signalId });
    }
    beQuiet(tally, crossing);
  }

  /** Of several functions that see the count reached at the same time one names the signal, and the others send the same. */
  async function claim(tally: Tally, since: number, signal: AbortSignal): Promise<Crossing> {
    const { rule, limits } = tally;
    const at = now();
    const crossing = { signalId: `errors:${rule}:${Math.floor(at / limits.within)}`, at, told: false };
    if (await store.claimCrossing(tally, crossing, since, signal)) return crossing;
    const theirs = recent((await store.read(tally, signal))?.crossing, since);
    if (theirs === undefined) throw contended(tally);
    return theirs;
  }

  function beQuiet(tally: Tally, { at }: Crossing): void {
    remember(tally, { size: 0, quietUntil: at + tally.limits.within });
  }

  function remember(tally: Tally, memory: Memory): void {
    memories.set(nameOf(tally), memory);
  }

  return { count };
}

function nameOf({ accountSid, rule }: WindowName): string {
  return `${accountSid} ${rule}`;
}

// A note for the first few: they become the samples. An item holds 400 KB, and each write is paid by its size.
function entriesOf({ events }: Tally, size: number): Record<string, Entry> {
  const entries = events.map(({ sid, at, code, level, road, note }, index) => {
    const entry = { at: Date.parse(at), code, level, road, note: size + index < MOST_SAMPLES ? note : "" };
    return [sid, entry] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * What reached us within the window. Another function's clock may be a moment ahead of ours: what is from there on has
 * come too.
 */
function isFresh(entry: Entry | undefined, since: number): boolean {
  return entry !== undefined && entry.at > since;
}

function freshIn({ events }: ErrorWindow, since: number): (Entry & { sid: string })[] {
  return Object.entries(events)
    .filter(([, entry]) => isFresh(entry, since))
    .map(([sid, entry]) => ({ sid, ...entry }))
    .sort((one, other) => one.at - other.at);
}

function recent(crossing: Crossing | undefined, since: number): Crossing | undefined {
  return crossing !== undefined && crossing.at > since ? crossing : undefined;
}

function signalOf(
  { accountSid, rule, limits, signedBy }: Tally,
  fresh: readonly (Entry & { sid: string })[],
  envelope: Pick<ErrorRuleSignal, "id" | "receivedAt">,
): ErrorRuleSignal {
  const times = fresh.map(({ at }) => new Date(at).toISOString());
  return {
    kind: "error-rule",
    ...envelope,
    accountSid,
    rule,
    count: fresh.length,
    within: limits.within,
    firstAt: times.at(0) ?? envelope.receivedAt,
    lastAt: times.at(-1) ?? envelope.receivedAt,
    samples: fresh.slice(0, MOST_SAMPLES).map(({ at, ...sample }) => ({ ...sample, at: new Date(at).toISOString() })),
    signedBy,
  };
}

function contended({ accountSid, rule }: Tally): TollbreakerError {
  return new TollbreakerError("error-window-contended", `The window of ${rule} for ${accountSid} changes too fast.`, {
    fix: "nothing: the event is delivered again, or the next one tells the same",
  });
}
