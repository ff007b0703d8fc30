import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, TollbreakerError } from "../errors.ts";
import { type OperatorRecord, parseRecords } from "./operator-record.ts";

/** The text of a list of operators that is kept in a file. @throws TollbreakerError `operators-unreadable`. */
export async function readOperatorsFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new TollbreakerError("operators-unreadable", `The list of operators ${file} cannot be read.`, {
      expected: "a file with a JSON list of operators",
      got: messageOf(cause),
      fix: `correct the path; to begin a new list: echo '[]' > ${file}`,
      cause,
    });
  }
}

/**
 * Replaces the list in `file` by what `change` makes of it. Readers see the old list or the new one, never half of one;
 * of two changes at a time one waits, so that neither is lost. What `change` throws leaves the file as it was.
 * @throws TollbreakerError `operators-unreadable`, `operators-invalid`, `operators-busy`.
 */
export async function changeOperatorsFile(
  file: string,
  change: (records: readonly OperatorRecord[]) => readonly OperatorRecord[],
): Promise<void> {
  const draft = `${file}.draft`;
  await claim(draft);
  try {
    const records = parseRecords(await readOperatorsFile(file), file);
    await writeFile(draft, listText(change(records)));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** One operator a line: short enough for Parameter Store, and readable in a diff. */
export function listText(records: readonly OperatorRecord[]): string {
  return records.length === 0
    ? "[]\n"
    : `[\n${records.map((record) => `  ${JSON.stringify(record)}`).join(",\n")}\n]\n`;
}

const WAIT_MS = 50;
const MOST_WAITS = 60;
/** A change takes milliseconds: a draft of this age belongs to nobody who still lives. */
const ABANDONED_AFTER_MS = 10_000;

/** The draft is the lock, too: only one can make it. */
async function claim(draft: string): Promise<void> {
  for (let waits = 0; waits < MOST_WAITS; waits += 1) {
    if (await make(draft)) return;
    await removeAbandoned(draft);
    await delay(WAIT_MS);
  }
  throw new TollbreakerError("operators-busy", "Somebody else is changing the list of operators.", {
    expected: `no file ${draft}, and no ${removalOf(draft)}`,
    fix: "try again in a moment; where nobody is changing it, delete those files",
  });
}

async function make(draft: string): Promise<boolean> {
  try {
    await writeFile(draft, "", { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    // No such folder, or no right to write there: the same as for the list itself.
    if (hasCode(error, "ENOENT")) return true;
    throw notWritable(draft, error);
  }
}

/** One at a time looks and removes: of two that find it abandoned, the later would remove the earlier one's own draft. */
async function removeAbandoned(draft: string): Promise<void> {
  if (!(await isAbandoned(draft)) || !(await make(removalOf(draft)))) return;
  try {
    if (await isAbandoned(draft)) await rm(draft, { force: true });
  } finally {
    await rm(removalOf(draft), { force: true });
  }
}

async function isAbandoned(draft: string): Promise<boolean> {
  const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
  return Date.now() - mtimeMs > ABANDONED_AFTER_MS;
}

function removalOf(draft: string): string {
  return `${draft}.removal`;
}

function notWritable(draft: string, cause: unknown): TollbreakerError {
  return new TollbreakerError("operators-unwritable", "The list of operators cannot be changed.", {
    expected: `to be allowed to write ${draft}`,
    got: messageOf(cause),
    fix: "correct the path, or its rights",
    cause,
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
