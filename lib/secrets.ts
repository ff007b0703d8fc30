import { type Clock, systemClock } from "./clock.ts";
import { TollbreakerError } from "./errors.ts";

/** Reads one secret; undefined where it is not configured. */
export type Secret = () => Promise<string | undefined>;

/** A changed parameter reaches warm functions within this time. */
const MAX_AGE_MS = 5 * 60_000;

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
  let known: { value: string | undefined; at: number } | undefined;
  let reading: Promise<string | undefined> | undefined;

  async function refresh(): Promise<string | undefined> {
    try {
      const value = await read();
      known = { value, at: clock.now().getTime() };
      return value;
    } catch (error) {
      if (known === undefined) throw error;
      return known.value;
    } finally {
      reading = undefined;
    }
  }

  return async () => {
    if (known !== undefined && clock.now().getTime() - known.at < MAX_AGE_MS) return known.value;
    reading ??= refresh();
    return reading;
  };
}

async function readParameter(name: string, parameter: string): Promise<string | undefined> {
  // Loaded only where a parameter is named: local runs never pay for it.
  const { SSMClient, GetParameterCommand, ParameterNotFound } = await import("@aws-sdk/client-ssm");
  const client = new SSMClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 1000, requestTimeout: 2000 } });
  try {
    const answer = await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }));
    return answer.Parameter?.Value;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw new TollbreakerError("secret-unreadable", `${name} could not be read from Parameter Store.`, {
      expected: `the SecureString parameter ${parameter} to be readable by this function's role`,
      fix: "check that the parameter exists in this region and that the role allows ssm:GetParameter on it",
      cause: error,
    });
  } finally {
    client.destroy();
  }
}
