import * as z from "zod/mini";
import { EXIT, Failure } from "./failure.ts";
import { type NewOperatorOptions, newOperator } from "./new-operator.ts";
import { howToPublish, howToStore } from "./operator-advice.ts";
import { addTo, findListFile, type ListFile, readRecord, removeFrom } from "./operator-list-file.ts";
import { OperatorListing, operatorTable } from "./operator-table.ts";
import { warningOfOwn } from "./own-token.ts";
import { notUnderstood, readFrom } from "./request.ts";
import type { Environment, Server } from "./server.ts";
import { printable, printableJson, type Terminal } from "./terminal.ts";

export interface AddOptions extends NewOperatorOptions {
  /** The list to add to. */
  file?: string;
  json?: true;
}

/** `operators add`: a new token, shown this once, and the record to store; stored at once where a list is at hand. */
export async function addOperator(
  name: string,
  options: AddOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  const { token, record } = newOperator(name, options, new Date());
  const file = await findListFile(options.file, environment);
  // Stored before it is shown: a token that is shown is one that works.
  const records = file === undefined ? undefined : await addTo(file, record);
  if (options.json) return terminal.print(printableJson({ token, record, storedIn: file?.path ?? null }));
  terminal.tell(`The token of ${printable(name)}. It is shown only now:`);
  terminal.print(token);
  terminal.tell("\nIts record, which holds no token:");
  terminal.print(printableJson(record));
  terminal.tell("");
  if (file === undefined || records === undefined) return terminal.tell(howToStore(record, environment));
  terminal.tell(`Stored in ${printable(file.path)}. ${howToPublish(file, records, environment)}`);
}

/** `operators store`: adds a record that somebody else's `operators add` printed. */
export async function storeOperator(
  text: string,
  options: { file?: string },
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  const record = readRecord(text);
  const file = requireFile(await findListFile(options.file, environment));
  const records = await addTo(file, record);
  terminal.print(`${printable(record.name)} is in ${printable(file.path)}.`);
  terminal.tell(howToPublish(file, records, environment));
}

/** `operators revoke`: takes one out of a list. */
export async function revokeOperator(
  name: string,
  options: { file?: string },
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  const file = requireFile(await findListFile(options.file, environment));
  const [records, gone] = await removeFrom(file, name);
  terminal.print(`${printable(name)} is out of ${printable(file.path)}.`);
  if (records.length === 0) terminal.tell("The list is empty now: nobody is let in.");
  const own = await warningOfOwn(gone, environment);
  if (own !== undefined) terminal.tell(own);
  terminal.tell(howToPublish(file, records, environment));
}

/** `operators list`: who may use the server, and when they last did. */
export async function listOperators(server: Server, json: boolean, terminal: Terminal): Promise<void> {
  const body = await readFrom(server, "/api/operators");
  if (json) return terminal.print(printableJson(body));
  const listing = z.safeParse(OperatorListing, body);
  if (!listing.success) throw notUnderstood(server.url, "JSON that is no list of operators");
  terminal.print(operatorTable(listing.data.operators, terminal.paint, new Date()));
}

function requireFile(file: ListFile | undefined): ListFile {
  if (file !== undefined) return file;
  throw new Failure(EXIT.usage, "operators-file-missing", "There is no list of operators to change.", {
    expected: "--file, or a local run that keeps its own list",
    fix: "get the list from where it is kept (docs/operators.md), and name the file with --file",
  });
}
