import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Added, AttemptsStore } from "./attempts-store.ts";

/** `failures`: those of the source within the last minute, this one included where it counted. */
export type Attempt =
  | { kind: "counted"; failures: number }
  | { kind: "too-many"; failures: number; retryAfterSeconds: number };

/** Slows down whoever tries tokens. Asked only about wrong ones: a right token gets in whatever was counted. */
export interface FailedAttempts {
  /** Counts one more of `source`, unless it has had too many. Never rejects. */
  fail(source: string): Promise<Attempt>;
}

export interface FailedAttemptsOptions {
  /** Undefined: only this process counts. */
  store: AttemptsStore | undefined;
  clock: Clock;
  log: Log;
  /** How long each answer of the store may take, in milliseconds. */
  patienceMs?: number;
}

/** Enough for whoever has mistaken the token; a guess of 256 bits needs rather more. */
const MOST = 10;
const MINUTE_MS = 60_000;
/** A refusal may wait a moment, but not for a store that is out. */
const PATIENCE_MS = 1_000;
/** Of more sources at a time, the store is asked again. */
const MOST_REMEMBERED = 1_000;

export function failedAttempts({ store, clock, log, patienceMs = PATIENCE_MS }: FailedAttemptsOptions): FailedAttempts {
  // What this function knows of a source. Once it is too many, nobody else is asked: a flood costs neither reads nor
  // writes.
  const remembered = new Map<string, readonly number[]>();

  async function fail(source: string): Promise<Attempt> {
    const at = clock.now().getTime();
    const known = recent(source, at);
    if (known.length >= MOST) return tooMany(known, at);
    // Before the store is asked: those who come while it thinks it over count this one too, however long it takes.
    const byItself = [...known, at];
    remember(source, byItself);
    const { kind, times } = await add(source, at, byItself);
    // Of two that were under way together, the answer that comes last may know less.
    if (times.length > recent(source, at).length) remember(source, times);
    return kind === "full" ? tooMany(times, at) : { kind: "counted", failures: times.length };
  }

  function recent(source: string, at: number): readonly number[] {
    return (remembered.get(source) ?? []).filter((time) => time > at - MINUTE_MS);
  }

  async function add(source: string, at: number, byItself: readonly number[]): Promise<Added> {
    if (store === undefined) return { kind: "added", times: byItself };
    try {
      return await store.add(source, { at, since: at - MINUTE_MS, most: MOST }, patienceMs);
    } catch (error) {
      log.warn("attempts-uncounted", { message: messageOf(error) });
      return { kind: "added", times: byItself };
    }
  }

  function remember(source: string, times: readonly number[]): void {
    // Deleted first, so that the one that is forgotten is the one that has been quiet for longest.
    remembered.delete(source);
    remembered.set(source, times);
    const [oldest] = remembered.keys();
    if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  }

  return { fail };
}

/** There is room for one more as soon as the tenth from the end is a minute old. */
function tooMany(times: readonly number[], at: number): Attempt {
  const free = (times.at(-MOST) ?? at) + MINUTE_MS;
  return { kind: "too-many", failures: times.length, retryAfterSeconds: Math.max(1, Math.ceil((free - at) / 1000)) };
}
