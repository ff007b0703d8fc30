import * as z from "zod/mini";
import { plainTable } from "./plain-table.ts";
import { type Paint, printable } from "./terminal.ts";
import { age, time } from "./wording.ts";

/** What the command line reads of `GET /api/operators`. */
const OperatorView = z.object({
  name: z.string(),
  role: z.string(),
  expires: z.nullable(z.string()),
  slack: z.boolean(),
  lastUsedAt: z.nullable(z.string()),
});
type OperatorView = z.infer<typeof OperatorView>;

export const OperatorListing = z.object({ operators: z.array(OperatorView) });

/** One line for each operator; times in UTC. */
export function operatorTable(operators: readonly OperatorView[], paint: Paint, now: Date): string {
  const titles = ["NAME", "ROLE", "EXPIRES", "SLACK", "LAST USED"];
  const rows = operators.map(({ name, role, expires, slack, lastUsedAt }) => [
    paint("bold", printable(name)),
    printable(role),
    expiry(expires, paint, now),
    slack ? "yes" : "no",
    lastUsedAt === null ? "never" : moment(lastUsedAt, now),
  ]);
  return plainTable({ titles, paint }, rows);
}

function expiry(expires: string | null, paint: Paint, now: Date): string {
  if (expires === null) return "never";
  return new Date(expires) <= now ? paint("red", `expired ${moment(expires, now)}`) : moment(expires, now);
}

function moment(at: string, now: Date): string {
  return printable(`${time(at)}  ${age(at, now)}`.trimEnd());
}
