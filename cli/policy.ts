import { loadPolicyFile } from "../lib/policy/load-policy.ts";
import type { Policy } from "../lib/policy/policy.ts";
import { examinePolicy, summary } from "../lib/policy/policy-file.ts";
import { policyJsonSchema } from "../lib/policy/policy-json-schema.ts";
import { notesOn } from "../lib/policy/policy-notes.ts";
import { EXIT, Failure } from "./failure.ts";
import type { Environment } from "./server.ts";
import { printable, type Terminal } from "./terminal.ts";

/**
 * Says whether a policy can be used, and what in it may not be meant.
 * @param path without it: `POLICY_FILE`, or the project's `policy.yml`
 * @throws Failure `policy-invalid` after every problem has been told; TollbreakerError `policy-unreadable`
 */
export function checkPolicy(path: string | undefined, environment: Environment, terminal: Terminal): void {
  const { text, name } = loadPolicyFile(path ?? (environment["POLICY_FILE"] || undefined));
  const examination = examinePolicy(text, name);
  if (examination.kind === "wrong") throw refusal(name, examination.problems, terminal);
  terminal.print(`${printable(name)} is fine: ${contents(examination.policy)}.`);
  for (const note of notesOn(examination.policy, new Date())) terminal.tell(`Note: ${printable(note)}`);
}

/** The JSON Schema that editors check a policy with. */
export function printPolicySchema(terminal: Terminal): void {
  terminal.print(JSON.stringify(policyJsonSchema(), null, 2));
}

function refusal(name: string, problems: readonly string[], terminal: Terminal): Failure {
  for (const problem of problems) terminal.tell(printable(problem));
  return new Failure(EXIT.failed, "policy-invalid", summary(name, problems));
}

function contents({ mode, limits, rates, errors, exempt, accounts }: Policy): string {
  return [
    `mode ${mode}`,
    many(Object.keys(limits).length, "limit"),
    many(Object.keys(rates).length, "hourly rule"),
    many(Object.keys(errors).length, "error rule"),
    many(exempt.length, "exemption"),
    `${many(Object.keys(accounts).length, "account")} with values of ${Object.keys(accounts).length === 1 ? "its" : "their"} own`,
  ].join(", ");
}

function many(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
