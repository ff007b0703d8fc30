import { type Clock, systemClock } from "./clock.ts";
import { readParameters, unreadable } from "./parameter-store.ts";

/**
 * Reads one secret; undefined where it is not configured.
 * @param wanted `not` is a value that was refused a moment ago: whether there is another one by now is looked up, at most
 * once in a few seconds, and the newest known value is given.
 * @throws TollbreakerError `secret-unreadable` when nobody can say now: try again later.
 */
export type Secret = (wanted?: { not: string }) => Promise<string | undefined>;

/** For how long a parameter that was read is good. */
export interface SecretAge {
  /** A changed parameter reaches warm functions within this time. */
  freshMs: number;
  /** So long after it was read, a value is still used while Parameter Store is out. */
  keptMs: number;
}

// Once known, a value outlives any outage of Parameter Store: better an old token than a lost webhook.
const USUAL_AGE: SecretAge = { freshMs: 5 * 60_000, keptMs: Number.POSITIVE_INFINITY };
/** While Parameter Store is out, and a value known, it is asked once in this time. */
const AGAIN_AFTER_MS = 30_000;
/** While nothing is known, whoever comes in between is told so at once; then twice as long, and so on. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
/** A refused value is looked up once in this time. */
const REFUSED_AGAIN_AFTER_MS = 5000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Readers of a function's secrets, by name: of the variable of that name, or else of the SSM SecureString whose name the
 * variable `<name>_PARAMETER` holds. A parameter that does not exist reads as undefined. All that come from Parameter Store
 * are read together, with one request: an account may read 40 times a second, and what nobody signed makes us read.
 * @param ages where a secret's is not the usual one
 */
export function secretReaders<Name extends string>(
  environment: Environment,
  names: readonly Name[],
  { clock = systemClock, ages = {} }: { clock?: Clock; ages?: Partial<Record<Name, SecretAge>> } = {},
): (name: Name) => Secret {
  const parameters = names.flatMap((name) => parameterOf(environment, name) ?? []);
  const store = sharedReading(parameters, clock);
  return (name) => {
    const parameter = parameterOf(environment, name);
    const value = environment[name] || undefined;
    return parameter === undefined ? async () => value : remembered(store, parameter, clock, ages[name] ?? USUAL_AGE);
  };
}

/** Undefined where the value itself is there, or nothing is. */
function parameterOf(environment: Environment, name: string): string | undefined {
  return environment[name] ? undefined : environment[`${name}_PARAMETER`] || undefined;
}

function remembered(store: SharedReading, parameter: string, clock: Clock, { freshMs, keptMs }: SecretAge): Secret {
  let waitsUntil = Number.NEGATIVE_INFINITY;
  const now = () => clock.now().getTime();
  const isFresh = ({ at }: Known) => now() < Math.max(at + freshMs, waitsUntil);

  async function refreshed(): Promise<string | undefined> {
    try {
      return (await store.read()).values.get(parameter);
    } catch (error) {
      const known = store.known();
      if (known === undefined || now() >= known.at + keptMs) throw error;
      waitsUntil = Math.min(now() + AGAIN_AFTER_MS, known.at + keptMs);
      return known.values.get(parameter);
    }
  }

  return async (wanted) => {
    const known = store.known();
    if (known === undefined || !isFresh(known)) return refreshed();
    const value = known.values.get(parameter);
    if (wanted === undefined || value !== wanted.not) return value;
    await store.lookAgain();
    return store.known()?.values.get(parameter);
  };
}

interface Known {
  values: ReadonlyMap<string, string>;
  /** When they were asked for, milliseconds since the epoch: a change made while the answer is on its way counts from then. */
  at: number;
}

interface SharedReading {
  /** What was read last. */
  known(): Known | undefined;
  /** Reads all of them, once at a time. @throws TollbreakerError `secret-unreadable`, at once after a failure. */
  read(): Promise<Known>;
  /** Reads them because one was refused, if that was not done a moment ago. */
  lookAgain(): Promise<void>;
}

function sharedReading(names: readonly string[], clock: Clock): SharedReading {
  let known: Known | undefined;
  let reading: Promise<Known> | undefined;
  let failure: { error: unknown; until: number; pause: number } | undefined;
  let lookedAgainAt = Number.NEGATIVE_INFINITY;
  const now = () => clock.now().getTime();

  async function read(): Promise<Known> {
    if (reading !== undefined) return reading;
    if (failure !== undefined && now() < failure.until) throw unreadable(names, failure.error);
    reading = readNow();
    return reading;
  }

  async function readNow(): Promise<Known> {
    const at = now();
    try {
      known = { values: await readParameters(names), at };
      failure = undefined;
      return known;
    } catch (error) {
      const pause = failure === undefined ? FIRST_PAUSE_MS : Math.min(2 * failure.pause, LONGEST_PAUSE_MS);
      failure = { error, until: now() + pause, pause };
      throw error;
    } finally {
      reading = undefined;
    }
  }

  async function lookAgain(): Promise<void> {
    const isSoon = now() - lookedAgainAt < REFUSED_AGAIN_AFTER_MS;
    if (isSoon && reading === undefined) return;
    if (!isSoon) lookedAgainAt = now();
    // What was known before is good enough where nobody can say.
    await read().catch(() => undefined);
  }

  return { known: () => known, read, lookAgain };
}
