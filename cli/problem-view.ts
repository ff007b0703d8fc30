import * as z from "zod/mini";
import type { ErrorDetail } from "../lib/errors.ts";
import { listLines, openLine } from "./checklist-words.ts";
import { inCommands } from "./in-commands.ts";
import { Checklist } from "./incident-view.ts";

/** What the operator API says when it refuses (RFC 9457), with the members of its own: lib/http/problem.ts. */

const mistake = {
  code: z.string(),
  detail: z.string(),
  expected: z.exactOptional(z.string()),
  got: z.exactOptional(z.string()),
  fix: z.exactOptional(z.string()),
};

/** Of a request for several incidents: one that needs a person's look. */
export const LeftOut = z.object({
  id: z.string(),
  accountSid: z.nullable(z.string()),
  code: z.string(),
  why: z.string(),
});

export function leftOutLine({ id, accountSid, why }: z.infer<typeof LeftOut>): string {
  return `${accountSid ?? "no account"}, incident ${id}: ${why}`;
}

export const Problem = z.object({
  ...mistake,
  state: z.exactOptional(z.string()),
  missing: z.exactOptional(z.array(z.object({ id: z.string(), answer: z.exactOptional(z.string()), why: z.string() }))),
  errors: z.exactOptional(z.array(z.object(mistake))),
  checklist: z.exactOptional(Checklist),
  leftOut: z.exactOptional(z.array(LeftOut)),
});
export type Problem = z.infer<typeof Problem>;
type Advice = Pick<ErrorDetail, "expected" | "got" | "fix">;

/** What a problem says beyond its sentence: its other mistakes, and each open item with the flags that answer it. */
export function notesOf({ errors = [], missing = [], checklist, leftOut = [] }: Problem): string[] {
  // The first mistake is the problem itself.
  const others = errors.slice(1).map((one) => {
    const { detail } = one;
    const { expected, got, fix } = adviceOf(one);
    const advice = [said("Expected", expected), said("Got", got), said("Fix", fix)];
    return [detail, ...advice].filter((part) => part !== "").join(" ");
  });
  const lists = checklist === undefined ? missing.map(openLine) : listLines(checklist);
  return [...others, ...lists, ...leftOut.map(leftOutLine)];
}

function said(name: string, text: string | undefined): string {
  return text === undefined ? "" : `${name}: ${text}.`;
}

/** What was expected, what came and how to mend it, in the words of the command line. What came is quoted, so it stays. */
export function adviceOf({ expected, got, fix }: Pick<Problem, "expected" | "got" | "fix">): Advice {
  return {
    ...(expected && { expected: inCommands(expected) }),
    ...(got && { got }),
    ...(fix && { fix: inCommands(fix) }),
  };
}
