import { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
import { IMPATIENT } from "./aws.ts";
import { TollbreakerError } from "./errors.ts";

/**
 * Reads the SecureString `parameter`, which holds the secret `name`; undefined when it does not exist. A module of its
 * own, so that a bundle holds only this part of the SDK, and a local run never loads it.
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
