import { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
import { IMPATIENT } from "./aws.ts";
import { TollbreakerError } from "./errors.ts";

/**
 * Reads the SecureString `parameter`, which holds the secret `name`; undefined when it does not exist. A module of its
 * own, and imported rather than loaded on demand: a bundler can only leave out the rest of the SDK's client when nothing
 * loads it with `import()`. Saves each bundle 250 KB, and the webhook 13 ms of its first answer (docs/performance.md).
 * @throws TollbreakerError `secret-unreadable`.
 */
export async function readParameter(name: string, parameter: string): Promise<string | undefined> {
  const client = new SSMClient({ ...IMPATIENT, maxAttempts: 2 });
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
