import { type OperatorRecord, parseRecords, sharedWith } from "../lib/operators/operator-record.ts";
import { changeOperatorsFile, listText } from "../lib/operators/operators-file.ts";
import { DEFAULT_DATA_DIR, readDiscovery } from "../local/discovery.ts";
import { operatorsFileIn } from "../local/operators.ts";
import { EXIT, Failure } from "./failure.ts";
import type { Environment } from "./server.ts";

/** A list of operators in a file: one of the user's own, or the one that the local run reads. */
export interface ListFile {
  path: string;
  local: boolean;
}

/** `--file`, or else the list of the local run; undefined where there is neither. */
export async function findListFile(file: string | undefined, environment: Environment): Promise<ListFile | undefined> {
  if (file !== undefined) return { path: file, local: false };
  if (environment["TOLLBREAKER_URL"]) return undefined;
  const dataDir = environment["DATA_DIR"] || DEFAULT_DATA_DIR;
  const run = await readDiscovery(dataDir);
  // A run whose operators came with the environment has no token to give, and reads no file.
  return run === undefined || run.token === null ? undefined : { path: operatorsFileIn(dataDir), local: true };
}

/** @throws Failure `operator-exists` when the name, the token or the Slack user is in the list already. */
export async function addTo({ path }: ListFile, record: OperatorRecord): Promise<OperatorRecord[]> {
  return change(path, (records) => {
    const shared = sharedWith(record, records);
    if (shared !== undefined) throw exists(record, shared, path);
    return [...records, record];
  });
}

/** @throws Failure `operator-not-found`. */
export async function removeFrom({ path }: ListFile, name: string): Promise<OperatorRecord[]> {
  return change(path, (records) => {
    const others = records.filter((record) => record.name !== name);
    if (others.length === records.length) throw notFound(name, records, path);
    return others;
  });
}

async function change(path: string, make: (records: readonly OperatorRecord[]) => OperatorRecord[]) {
  let made: OperatorRecord[] = [];
  await changeOperatorsFile(path, (records) => {
    made = make(records);
    return made;
  });
  return made;
}

/** One record as `operators add` prints it. @throws TollbreakerError `operators-invalid`; Failure when it is not one. */
export function readRecord(text: string): OperatorRecord {
  const [record, ...more] = parseRecords(`[${text}]`, "the record");
  if (record !== undefined && more.length === 0) return record;
  throw new Failure(EXIT.usage, "operator-invalid", "This is not one record.", {
    expected: "the record that `tollbreaker operators add` printed",
    got: record === undefined ? "an empty text" : `${more.length + 1} of them`,
    fix: "quote the record for your shell: '{...}'",
  });
}

/** How many characters the list takes in Parameter Store. */
export function lengthOf(records: readonly OperatorRecord[]): number {
  return listText(records).length;
}

function exists({ name }: OperatorRecord, shared: string, path: string): Failure {
  return new Failure(EXIT.failed, "operator-exists", `${JSON.stringify(name)} was not added to ${path}.`, {
    got: shared,
    fix: "choose another name, or revoke the present one first",
  });
}

function notFound(name: string, records: readonly OperatorRecord[], path: string): Failure {
  return new Failure(EXIT.notFound, "operator-not-found", `There is no such operator in ${path}.`, {
    expected: records.length === 0 ? "nobody: the list is empty" : records.map((known) => known.name).join(", "),
    got: JSON.stringify(name),
    fix: "correct the name",
  });
}
