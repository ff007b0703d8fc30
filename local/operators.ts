import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OperatorRecord } from "../lib/operators/operator-record.ts";
import { makeToken } from "../lib/operators/operator-token.ts";
import { changeOperatorsFile } from "../lib/operators/operators-file.ts";

/** Who may use the local run that keeps its data in `dataDir`; it is read again at each request. */
export function operatorsFileIn(dataDir: string): string {
  return join(dataDir, "operators.json");
}

const LOCAL = "local";

/**
 * Makes a new token for the operator "local", in place of the one of the run before; everyone else in the list stays.
 * Makes the list when it isn't there.
 * @throws TollbreakerError `operators-invalid` when the list can't be used.
 */
export async function keepLocalOperator(dataDir: string): Promise<{ token: string; file: string }> {
  const file = operatorsFileIn(dataDir);
  const { token, sha256 } = makeToken();
  const local: OperatorRecord = { name: LOCAL, sha256, role: "operator" };
  await makeIfMissing(file);
  await changeOperatorsFile(file, (records) => [local, ...records.filter(({ name }) => name !== LOCAL)]);
  return { token, file };
}

async function makeIfMissing(file: string): Promise<void> {
  try {
    await writeFile(file, "[]\n", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
