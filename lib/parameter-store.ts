import { GetParametersCommand, type Parameter, SSMClient } from "@aws-sdk/client-ssm";
import { IMPATIENT } from "./aws.ts";
import { TollbreakerError } from "./errors.ts";

/**
 * Reads the SecureStrings of these names in one request, ten at most; what does not exist is left out. A module of its own,
 * and imported rather than loaded on demand: a bundler can only leave out the rest of the SDK's client when nothing loads
 * it with `import()`. Saves each bundle 250 KB, and the webhook 13 ms of its first answer (docs/performance.md).
 * @throws TollbreakerError `secret-unreadable`: nobody can say now; later it may be read.
 */
export async function readParameters(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const client = new SSMClient({ ...IMPATIENT, maxAttempts: 2 });
  try {
    const reading = new GetParametersCommand({ Names: [...new Set(names)], WithDecryption: true });
    const { Parameters = [], InvalidParameters = [] } = await client.send(reading);
    const found = names.flatMap((name) => {
      const value = Parameters.find((one) => isNamed(one, name))?.Value;
      if (value === undefined && !InvalidParameters.includes(name)) throw new Error(`no answer about ${name}`);
      return value === undefined ? [] : [[name, value] as const];
    });
    return new Map(found);
  } catch (cause) {
    throw unreadable(names, cause);
  } finally {
    client.destroy();
  }
}

/** Asked for by its ARN, or with a version (`name:3`), it comes with its name alone. */
function isNamed({ Name = "", ARN, Selector = "" }: Parameter, name: string): boolean {
  return [Name, ARN, `${Name}${Selector}`, `${ARN}${Selector}`].includes(name);
}

/** Also for whoever is told so without asking, because it was asked a moment ago. */
export function unreadable(names: readonly string[], cause: unknown): TollbreakerError {
  return new TollbreakerError("secret-unreadable", "Secrets could not be read from Parameter Store.", {
    expected: `the SecureString parameters ${names.join(", ")} to be readable by this function's role`,
    fix: "check that they exist in this region and that the role allows ssm:GetParameters on them",
    cause,
  });
}
