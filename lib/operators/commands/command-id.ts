import { createHash, randomUUID } from "node:crypto";
import type { Operator } from "../operators.ts";
import type { Wished } from "./wished.ts";

/** The command's id: made from what the sender calls the request, so that sending it again makes no second command. */
export function commandIdFor({ name }: Operator, wish: Wished): string {
  const { requestId } = wish;
  if (requestId === undefined) return randomUUID();
  const whole = JSON.stringify([name, wish.kind, targetOf(wish), requestId]);
  return `key-${createHash("sha256").update(whole).digest("hex").slice(0, 40)}`;
}

function targetOf(wish: Wished): string {
  switch (wish.kind) {
    case "release-brake":
      return "";
    case "suspend":
      return wish.accountSid;
    default:
      return wish.incidentId;
  }
}
