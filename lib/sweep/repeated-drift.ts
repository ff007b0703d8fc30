/** What the sweep had to put right on an account lately. Times are ISO 8601 UTC. */
export interface Drift {
  /** When each usage trigger was last made anew, or made to call us again, by FriendlyName. */
  at: Readonly<Record<string, string>>;
  /** When people were last told that it keeps happening, by which sweep, and of which triggers. */
  told: { at: string; sweepId: string; names: readonly string[] } | null;
}

export interface Repetition {
  /** To be remembered. */
  drift: Drift | null;
  /** FriendlyNames of triggers that people should be told of now. */
  repeated: readonly string[];
}

const MINUTE = 60_000;
/** The next sweep, or the one after it: it comes every five minutes, and may take up to fifteen. */
const SOON_MS = 20 * MINUTE;
const TELL_AGAIN_MS = 60 * MINUTE;

/**
 * Pure. One repair may be due to anything, a new policy first of all. A trigger that has to be put right again soon after
 * it was is the work of somebody who does not want it there.
 * @param names of triggers that this sweep made anew, or made to call us again
 */
export function repeatedDrift(
  before: Drift | null,
  names: readonly string[],
  { sweepId, now }: { sweepId: string; now: Date },
): Repetition {
  // A shard that is handed out again says the same once more.
  if (before?.told?.sweepId === sweepId) return { drift: before, repeated: before.told.names };
  if (names.length === 0) return { drift: before, repeated: [] };
  const isWithin = (at: string | undefined, span: number) => at !== undefined && now.getTime() - Date.parse(at) < span;
  const recent = Object.entries(before?.at ?? {}).filter(([, at]) => isWithin(at, SOON_MS));
  const again = names.filter((name) => recent.some(([known]) => known === name));
  const at = { ...Object.fromEntries(recent), ...Object.fromEntries(names.map((name) => [name, now.toISOString()])) };
  const isDue = again.length > 0 && !isWithin(before?.told?.at, TELL_AGAIN_MS);
  const told = isDue ? { at: now.toISOString(), sweepId, names: again } : (before?.told ?? null);
  return { drift: { at, told }, repeated: isDue ? again : [] };
}

/** Pure. Whether one of these had to be put right lately, too: it goes on. */
export function isSoonAgain(before: Drift | null, names: readonly string[], now: Date): boolean {
  return names.some((name) => {
    const at = before?.at[name];
    return at !== undefined && now.getTime() - Date.parse(at) < SOON_MS;
  });
}
