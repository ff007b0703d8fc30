import { type OperatorRecord, readOneRecord, sharedWith } from "../lib/operators/operator-record.ts";
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

/** Who is left, and who is gone. @throws Failure `operator-not-found`. */
export async function removeFrom({ path }: ListFile, name: string): Promise<[OperatorRecord[], OperatorRecord[]]> {
  let gone: OperatorRecord[] = [];
  const left = await change(path, (records) => {
    gone = records.filter((record) => record.name === name);
    if (gone.length === 0) throw notFound(name, records, path);
    return records.filter((record) => record.name !== name);
  });
  return [left, gone];
}

async function change(path: string, make: (records: readonly OperatorRecord[]) => OperatorRecord[]) {
  let made: OperatorRecord[] = [];
  await changeOperatorsFile(path, (records) => {
    made = make(records);
    return made;
  });
  return made;
}

/** One record as `operators add` prints it. @throws Failure `operator-invalid` when it is not one. */
export function readRecord(text: string): OperatorRecord {
  const read = readOneRecord(text);
  if (read.kind === "record") return read.record;
  throw new Failure(EXIT.usage, "operator-invalid", "The record was not added; the list is as it was.", {
    expected: "the one record that `tollbreaker operators add` printed",
    got: read.got,
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
