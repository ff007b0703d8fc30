import { type Secret, type SecretAge, secretReaders } from "../secrets.ts";
import { type Operators, operatorsFrom } from "./operators.ts";
import { readOperatorsFile } from "./operators-file.ts";

/**
 * Whoever is revoked is refused within half a minute, also by functions that are warm. While Parameter Store is out the
 * list goes on for a quarter of an hour from when it was read: an operator must get in during a short outage, and a
 * token that may have been revoked meanwhile must not work for ever. Suspending needs no operator, so beyond that it is
 * safer to let nobody in.
 */
export const OPERATORS_AGE: SecretAge = { freshMs: 30_000, keptMs: 15 * 60_000 };

/**
 * Who may use Tollbreaker, by the first of these that is set: OPERATORS, the list itself; OPERATORS_FILE, a file that
 * is read each time (local runs); OPERATORS_PARAMETER, the SSM SecureString on AWS.
 * @param secret reads OPERATORS; given where a function has other secrets that are read with it
 */
export function configuredOperators(
  environment: Readonly<Record<string, string | undefined>>,
  secret: Secret = secretReaders(environment, ["OPERATORS"], { ages: { OPERATORS: OPERATORS_AGE } })("OPERATORS"),
): Operators {
  const file = environment["OPERATORS"] ? "" : environment["OPERATORS_FILE"];
  return operatorsFrom(file ? () => readOperatorsFile(file) : secret);
}
