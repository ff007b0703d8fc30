import { type Clock, systemClock } from "./clock.ts";
import { readParameter } from "./parameter-store.ts";

/** Reads one secret; undefined where it is not configured. */
export type Secret = () => Promise<string | undefined>;

/** For how long a parameter that was read is good. */
export interface SecretAge {
  /** A changed parameter reaches warm functions within this time. */
  freshMs: number;
  /** So long after it was read, a value is still used while Parameter Store is out. */
  keptMs: number;
}

// Once known, a value outlives any outage of Parameter Store: better an old token than a lost webhook.
const USUAL_AGE: SecretAge = { freshMs: 5 * 60_000, keptMs: Number.POSITIVE_INFINITY };
/** While Parameter Store is out, only one request in this time waits for it in vain. */
const AGAIN_AFTER_MS = 30_000;

/**
 * The secret `name`: the variable of that name, or else the SSM SecureString whose name the variable `<name>_PARAMETER`
 * holds. A parameter that does not exist reads as undefined.
 * @throws TollbreakerError `secret-unreadable` when Parameter Store cannot be read and no earlier value is good.
 */
export function secretReader(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  clock: Clock = systemClock,
  age: SecretAge = USUAL_AGE,
): Secret {
  const value = environment[name];
  if (value !== undefined && value !== "") return async () => value;
  const parameter = environment[`${name}_PARAMETER`];
  if (parameter === undefined || parameter === "") return async () => undefined;
  return remembered(() => readParameter(name, parameter), clock, age);
}

function remembered(read: Secret, clock: Clock, { freshMs, keptMs }: SecretAge): Secret {
  let known: { value: string | undefined; until: number; end: number } | undefined;
  let reading: Promise<string | undefined> | undefined;
  const now = () => clock.now().getTime();

  async function refresh(): Promise<string | undefined> {
    // Before reading: a change that is made while the answer is on its way counts from then on.
    const at = now();
    try {
      known = { value: await read(), until: at + freshMs, end: at + keptMs };
      return known.value;
    } catch (error) {
      if (known === undefined || now() >= known.end) throw error;
      known.until = Math.min(now() + AGAIN_AFTER_MS, known.end);
      return known.value;
    } finally {
      reading = undefined;
    }
  }

  return async () => {
    if (known !== undefined && now() < known.until) return known.value;
    reading ??= refresh();
    return reading;
  };
}
