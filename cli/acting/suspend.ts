import type { Server } from "../server.ts";
import type { Terminal } from "../terminal.ts";
import { carryOut, type Manner } from "./carry-out.ts";
import { requireReason } from "./reason.ts";

export interface SuspendOptions {
  reason?: string;
  /** What the policy says against it, and you have read. */
  acknowledge?: readonly string[];
}

/** `suspend`: stops an account now, whether or not anything tripped. No last question: it can be undone, spend can't. */
export async function suspendAccount(
  server: Server,
  accountSid: string,
  { reason, acknowledge = [] }: SuspendOptions,
  terminal: Terminal,
  manner: Manner = {},
): Promise<void> {
  const json = { reason: await requireReason(reason, terminal), acknowledge };
  const path = `/api/subaccounts/${encodeURIComponent(accountSid)}/suspend`;
  await carryOut(server, { asked: "suspend", path, json, accountSid }, terminal, manner);
}
