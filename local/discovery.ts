import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";

/**
 * How the command line finds a local run without being told: `npm start` leaves its addresses, and a token that opens
 * them, in `<DATA_DIR>/local.json`. Only the user who started it can read the file.
 */
export const Discovery = z.object({
  /** Where the operator API is. */
  url: z.url({ protocol: /^https?$/ }),
  /** A token of an operator; null where OPERATORS was set, since only hashes are known then. */
  token: z.nullable(z.string().check(z.minLength(1))),
  /** Where the Twilio simulator is; null when the run talks to the real Twilio. */
  simulatorUrl: z.nullable(z.url({ protocol: /^https?$/ })),
  /** What that simulator takes as the real Twilio takes the parent's; left out when the run talks to the real Twilio. */
  simulatedParent: z.optional(
    z.object({ accountSid: z.string().check(z.minLength(1)), authToken: z.string().check(z.minLength(1)) }),
  ),
  /** What webhooks are signed over; `url` when left out. */
  publicUrl: z.optional(z.url({ protocol: /^https?$/ })),
  /** The policy of the run, as an absolute path; the project's own when left out. */
  policyFile: z.optional(z.string().check(z.minLength(1))),
  /** The process that serves them. */
  pid: z.int().check(z.positive()),
});
export type Discovery = z.infer<typeof Discovery>;

export const DEFAULT_DATA_DIR = ".tollbreaker";

/** The file of the run that keeps its data in `dataDir`. */
export function discoveryFile(dataDir: string): string {
  return join(dataDir, "local.json");
}

/** Makes `dataDir` when it isn't there. Readers see the old file or the new one, never half of one. */
export async function writeDiscovery(dataDir: string, discovery: Discovery): Promise<void> {
  const file = discoveryFile(dataDir);
  const draft = `${file}.${process.pid}`;
  await mkdir(dataDir, { recursive: true });
  await writeFile(draft, `${JSON.stringify(discovery, null, 2)}\n`, { mode: 0o600 });
  // `mode` counts only for a new file; a draft left by a killed process keeps its own.
  await chmod(draft, 0o600);
  await rename(draft, file);
}

/**
 * Undefined when nothing runs there, or nothing that said so.
 * @throws TollbreakerError `discovery-invalid` when the file is there but can't be understood.
 */
export async function readDiscovery(dataDir: string): Promise<Discovery | undefined> {
  const file = discoveryFile(dataDir);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const result = Discovery.safeParse(jsonOrNothing(text));
  if (result.success) return result.data;
  throw new TollbreakerError("discovery-invalid", `${file} cannot be understood.`, {
    expected: "what `npm start` writes: url, token, simulatorUrl and pid",
    got: result.error.issues.map(({ path, code }) => `${path.join(".") || "the file"}: ${code}`).join("; "),
    fix: "stop `npm start`, delete the file, and start again",
  });
}

/** Forgets the run of process `pid`, the caller's own by default; the file of a later run stays. Repeatable. */
export async function removeDiscovery(dataDir: string, pid: number = process.pid): Promise<void> {
  const text = await readIfThere(discoveryFile(dataDir));
  if (text === undefined) return;
  const owner = Discovery.safeParse(jsonOrNothing(text)).data?.pid;
  if (owner === undefined || owner === pid) await rm(discoveryFile(dataDir), { force: true });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
