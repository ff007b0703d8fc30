import * as z from "zod/mini";
import { flagsFor } from "./checklist-words.ts";

/** What the operator API says when it refuses (RFC 9457), with the members of its own: lib/http/problem.ts. */

const mistake = {
  code: z.string(),
  detail: z.string(),
  expected: z.exactOptional(z.string()),
  got: z.exactOptional(z.string()),
  fix: z.exactOptional(z.string()),
};

export const Problem = z.object({
  ...mistake,
  state: z.exactOptional(z.string()),
  missing: z.exactOptional(z.array(z.object({ id: z.string(), why: z.string() }))),
  errors: z.exactOptional(z.array(z.object(mistake))),
});
export type Problem = z.infer<typeof Problem>;

/** What a problem says beyond its sentence: its other mistakes, and each open item with the flags that answer it. */
export function notesOf({ errors = [], missing = [] }: Problem): string[] {
  // The first mistake is the problem itself.
  const others = errors.slice(1).map(({ detail, expected, got, fix }) => {
    const advice = [said("Expected", expected), said("Got", got), said("Fix", fix)];
    return [detail, ...advice].filter((part) => part !== "").join(" ");
  });
  return [...others, ...missing.map(({ id, why }) => `${id} (${why}): ${flagsFor(id)}`)];
}

function said(name: string, text: string | undefined): string {
  return text === undefined ? "" : `${name}: ${text}.`;
}
