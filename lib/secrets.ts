import { type Clock, systemClock } from "./clock.ts";
import { readParameter } from "./parameter-store.ts";

/** Reads one secret; undefined where it is not configured. */
export type Secret = () => Promise<string | undefined>;

/** A changed parameter reaches warm functions within this time. */
const MAX_AGE_MS = 5 * 60_000;
/** While Parameter Store is out, only one request in this time waits for it in vain. */
const AGAIN_AFTER_MS = 30_000;

/**
 * The secret `name`: the variable of that name, or else the SSM SecureString whose name the variable `<name>_PARAMETER`
 * holds. A parameter that does not exist reads as undefined.
 * @throws TollbreakerError `secret-unreadable` when Parameter Store cannot be read and no earlier value is known.
 */
export function secretReader(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  clock: Clock = systemClock,
): Secret {
  const value = environment[name];
  if (value !== undefined && value !== "") return async () => value;
  const parameter = environment[`${name}_PARAMETER`];
  if (parameter === undefined || parameter === "") return async () => undefined;
  return remembered(() => readParameter(name, parameter), clock);
}

// Once known, a value outlives an outage of Parameter Store: better an old token than a lost webhook.
function remembered(read: Secret, clock: Clock): Secret {
  let known: { value: string | undefined; until: number } | undefined;
  let reading: Promise<string | undefined> | undefined;

  async function refresh(): Promise<string | undefined> {
    try {
      known = { value: await read(), until: clock.now().getTime() + MAX_AGE_MS };
      return known.value;
    } catch (error) {
      if (known === undefined) throw error;
      known.until = clock.now().getTime() + AGAIN_AFTER_MS;
      return known.value;
    } finally {
      reading = undefined;
    }
  }

  return async () => {
    if (known !== undefined && clock.now().getTime() < known.until) return known.value;
    reading ??= refresh();
    return reading;
  };
}
