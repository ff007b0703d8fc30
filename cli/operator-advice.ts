import type { OperatorRecord } from "../lib/operators/operator-record.ts";
import { type ListFile, lengthOf } from "./operator-list-file.ts";
import type { Environment } from "./server.ts";
import { printableJson } from "./terminal.ts";

/** What to do with a record or a list, as commands that can be copied. */

/** Where the template keeps the list of the stage `prod`. */
const DEFAULT_PARAMETER = "/tollbreaker/prod/operators";

/** For a record that is stored nowhere yet. */
export function howToStore(record: OperatorRecord, environment: Environment): string {
  return [
    "Store the record in the list that the operator API reads. On AWS (whoever may write the parameter does this):",
    `  ${getParameter(environment)} > operators.json`,
    `  npm run -s tollbreaker -- operators store ${quoted(printableJson(record))} --file operators.json`,
    `  ${putParameter("operators.json", environment)}`,
    "Elsewhere: add it to OPERATORS. docs/operators.md tells more.",
  ].join("\n");
}

/** For a list in a file that was changed. */
export function howToPublish(file: ListFile, records: readonly OperatorRecord[], environment: Environment): string {
  if (file.local) return "The local run goes by it from now on.";
  return [
    "It counts within 30 seconds after you have stored the list. On AWS:",
    `  ${putParameter(quoted(file.path), environment, lengthOf(records))}`,
  ].join("\n");
}

function getParameter(environment: Environment): string {
  return `aws ssm get-parameter --with-decryption --name ${parameterIn(environment)} --query Parameter.Value --output text`;
}

// A standard parameter holds 4 KB: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
const STANDARD_CHARACTERS = 4096;

function putParameter(path: string, environment: Environment, length = 0): string {
  const tier = length > STANDARD_CHARACTERS ? " --tier Advanced" : "";
  return `aws ssm put-parameter --overwrite --type SecureString${tier} --name ${parameterIn(environment)} --value file://${path}`;
}

function parameterIn(environment: Environment): string {
  return environment["OPERATORS_PARAMETER"] || DEFAULT_PARAMETER;
}

/** For a POSIX shell; what needs no quotes gets none. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
