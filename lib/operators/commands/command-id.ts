import { createHash, randomUUID } from "node:crypto";
import type { Operator } from "../operators.ts";
import { tidyReason } from "./reason.ts";
import type { Wished } from "./wished.ts";

/**
 * The command's id: made from what the sender calls the request and from all that it asks for, so that sending it again
 * makes no second command, and asking for something else under the same name is a command of its own.
 */
export function commandIdFor({ name }: Operator, wish: Wished): string {
  if (wish.requestId === undefined) return randomUUID();
  const whole = JSON.stringify([name, sorted(Object.entries(wish).map(settled))]);
  return `key-${createHash("sha256").update(whole).digest("hex").slice(0, 40)}`;
}

/** Members in any order, lists in any order or with an item twice, and a reason with other spaces ask for the same. */
function settled([member, value]: [string, unknown]): [string, unknown] {
  if (Array.isArray(value)) return [member, sorted([...new Set(value)])];
  return member === "reason" && typeof value === "string" ? [member, tidyReason(value)] : [member, value];
}

function sorted(items: readonly unknown[]): unknown[] {
  return items.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}
