import type { ReleaseBrakeCommand } from "../inbox/commands.ts";
import type { Order, Responder } from "./responder.ts";

/**
 * A person has looked at what the brake holds, and wants it suspended: each of the waiting accounts by a command of its
 * own, in its own account's order. Repeatable: the same release sends the same commands.
 */
export async function releaseBrake(
  { brake, inbox, log }: Responder,
  { command }: Order<ReleaseBrakeCommand>,
): Promise<void> {
  const { id, operator, road, reason, receivedAt, accounts } = command;
  const waiting = await brake.release(id, accounts);
  for (const { accountSid } of waiting) {
    const who = { operator, road, reason, receivedAt };
    await inbox.put({ kind: "suspend", id: `${id}:${accountSid}`, accountSid, ...who, acknowledge: [] });
  }
  log.warn("brake-released", { operator, road, accounts: waiting.length });
}
