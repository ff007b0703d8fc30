import type * as z from "zod";
import { TollbreakerError } from "../errors.ts";
import { meantLimit, SpikeEntry } from "./limit-schema.ts";
import { nearest } from "./nearest.ts";
import type { Limit, Policy, SpendRule } from "./policy.ts";
import { describe, inOrder, type Path, type Place, type Problem } from "./policy-problem.ts";
import { brokenRules } from "./policy-rules.ts";
import {
  BrakeEntry,
  ConfirmEntry,
  ErrorEntry,
  ExemptEntry,
  PolicyEntry,
  ProbationEntry,
  RaiseEntry,
} from "./policy-schema.ts";
import { readPolicyText, type Spots } from "./policy-text.ts";

/** A policy, or everything that is wrong with it, one sentence a problem, in the order of the file. */
export type Examination = { kind: "fine"; policy: Policy } | { kind: "wrong"; problems: string[] };

// Beyond it a reader learns nothing more.
const MOST_SHOWN = 100;

/**
 * The policy in `text`, checked and with every default filled in.
 *
 * @param fileName how the messages call the file
 * @throws TollbreakerError `policy-invalid` and nothing else, whatever the text: it lists every problem, each on a line
 *   of its own with file, line, column, key, what was expected and what came
 */
export function readPolicy(text: string, fileName: string): Policy {
  const examination = examinePolicy(text, fileName);
  if (examination.kind === "fine") return examination.policy;
  const { problems } = examination;
  throw new TollbreakerError("policy-invalid", `${summary(fileName, problems)}\n${problems.join("\n")}`);
}

/** `policy.yml cannot be used: 2 problems.` */
export function summary(fileName: string, problems: readonly string[]): string {
  const many = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${fileName} cannot be used: ${many}.`;
}

/** Like `readPolicy`, with the problems as a value. */
export function examinePolicy(text: string, fileName: string): Examination {
  const read = readPolicyText(text);
  if (read.kind === "wrong") return wrong(read.problems, fileName);
  const result = PolicyEntry.safeParse(read.data);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => problemsOf(issue, read)),
    ...brokenRules(read.data).map((broken) => ({ place: placeOf(broken.path, read.spots, broken.about), ...broken })),
  ];
  return result.success && problems.length === 0
    ? { kind: "fine", policy: policyOf(result.data) }
    : wrong(problems, fileName);
}

function wrong(problems: readonly Problem[], fileName: string): Examination {
  const lines = inOrder(problems).map((problem) => describe(problem, fileName));
  const shown = [...new Set(lines)];
  const rest = shown.length - MOST_SHOWN;
  return {
    kind: "wrong",
    problems: rest > 0 ? [...shown.slice(0, MOST_SHOWN), `${fileName}: and ${rest} more.`] : shown,
  };
}

/** `null` says more plainly than a missing key that there is nothing. */
function policyOf(entry: z.output<typeof PolicyEntry>): Policy {
  return {
    ...entry,
    currency: entry.currency ?? null,
    ...byWatcher(entry.limits),
    errors: Object.fromEntries(
      Object.entries(entry.errors).map(([name, rule]) => [name, { ...rule, confirm: rule.confirm ?? null }]),
    ),
    exempt: entry.exempt.map(({ account, why, until = null }) => ({ account, why, until })),
  };
}

/** Limits that Twilio watches, and those that the sweep does. */
function byWatcher(limits: Readonly<Record<string, Limit | SpendRule>>): Pick<Policy, "limits" | "rates"> {
  const all = Object.entries(limits);
  return {
    limits: Object.fromEntries(all.flatMap(([name, limit]) => ("kind" in limit ? [] : [[name, limit]]))),
    rates: Object.fromEntries(all.flatMap(([name, limit]) => ("kind" in limit ? [[name, limit]] : []))),
  };
}

type Issue = z.core.$ZodIssue;
type Text = Pick<Extract<ReturnType<typeof readPolicyText>, { kind: "data" }>, "data" | "spots">;

function problemsOf(issue: Issue, text: Text, above: Path = []): Problem[] {
  const { data, spots } = text;
  const path = [...above, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key], text));
  const ofMeant = issue.code === "invalid_union" ? issue.errors[meantLimitAt(path, data)?.option ?? -1] : undefined;
  if (ofMeant !== undefined) return ofMeant.flatMap((inner) => problemsOf(inner, text, path));
  return [{ place: placeOf(path, spots), path, text: withWhatCame(issue.message, path, spots, optionsOf(issue)) }];
}

function unknownKey(path: Path, { data, spots }: Text): Problem {
  const allowed = keysAt(path.slice(0, -1), data);
  const meant = nearest(String(path.at(-1)), allowed);
  const advice = meant === undefined ? `The keys here are: ${allowed.join(", ")}.` : `Did you mean \`${meant}\`?`;
  return { place: placeOf(path, spots, "key"), path, text: `There is no such key here. ${advice}` };
}

function keysAt(path: Path, data: unknown): readonly string[] {
  const entry = WITHIN.get(path.length === 3 ? path[2] : undefined) ?? ENTRIES.get(path[0]) ?? PolicyEntry;
  return meantLimitAt(path, data)?.keys ?? Object.keys(entry.shape);
}

const ENTRIES = new Map<Path[number] | undefined, { shape: object }>([
  ["errors", ErrorEntry],
  ["brake", BrakeEntry],
  ["exempt", ExemptEntry],
  ["probation", ProbationEntry],
  ["raise", RaiseEntry],
]);

/** Inside of an error rule, and of a limit. */
const WITHIN = new Map<Path[number] | undefined, { shape: object }>([
  ["confirm", ConfirmEntry],
  ["spike", SpikeEntry],
]);

/** Of the path of a limit, and of no other. */
function meantLimitAt(path: Path, data: unknown): ReturnType<typeof meantLimit> {
  const [section, name] = path;
  return section === "limits" && path.length === 2 ? meantLimit(valueAt(valueAt(data, section), name)) : undefined;
}

function valueAt(map: unknown, key: Path[number] | undefined): unknown {
  return new Map(Object.entries(Object(map))).get(String(key));
}

function optionsOf(issue: Issue): string[] {
  return issue.code === "invalid_value" ? issue.values.map(String) : [];
}

function withWhatCame(message: string, path: Path, spots: Spots, options: readonly string[]): string {
  if (!message.startsWith("Expected")) return message;
  const spot = spots.at(path);
  if (spot === undefined) return `The key is missing. ${message}`;
  const meant = nearest(spot.source, options);
  const advice = meant === undefined ? "" : ` Did you mean \`${meant}\`?`;
  return `${message} Got: ${spot.came}.${advice}`;
}

/** For a key that is missing: the place of the map which lacks it. */
function placeOf(path: Path, spots: Spots, about: "key" | "value" = "value"): Place {
  const spot = spots.at(path);
  if (spot !== undefined) return spot[about];
  return path.length === 0 ? { line: 1, column: 1 } : placeOf(path.slice(0, -1), spots, "key");
}
