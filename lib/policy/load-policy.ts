import { readFileSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, TollbreakerError } from "../errors.ts";
import type { Policy } from "./policy.ts";
import { readPolicy } from "./policy-file.ts";

const DEFAULT = fileURLToPath(new URL("../../policy.yml", import.meta.url));

export interface PolicyFile {
  text: string;
  /** As a person in the current directory would write it. */
  name: string;
}

/**
 * The policy of `POLICY_FILE`, or of the project's `policy.yml`.
 * @throws TollbreakerError `policy-unreadable`, `policy-invalid`
 */
export function loadPolicy(environment: Readonly<Record<string, string | undefined>>): Policy {
  const { text, name } = loadPolicyFile(environment["POLICY_FILE"] || DEFAULT);
  return readPolicy(text, name);
}

/**
 * @param path relative to the current directory; without it, the project's `policy.yml`
 * @throws TollbreakerError `policy-unreadable`: there is no such file, or it holds no text
 */
export function loadPolicyFile(path: string = DEFAULT): PolicyFile {
  const name = nameOf(path);
  try {
    return { text: textOf(path), name };
  } catch (cause) {
    throw new TollbreakerError("policy-unreadable", `The policy ${name} cannot be read: ${messageOf(cause)}.`, {
      fix: "write one (docs/policy.md shows how), or set POLICY_FILE to where it is",
      cause,
    });
  }
}

function nameOf(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short.startsWith("..") || short === "" ? resolve(path) : short;
}

function textOf(path: string): string {
  // A device or a pipe might never end.
  if (!statSync(path).isFile()) throw new Error("it is no file");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof TypeError) throw new Error("it is not UTF-8 text", { cause });
    throw cause;
  }
}
