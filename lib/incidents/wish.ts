import type { Command } from "../inbox/commands.ts";
import type { Detail } from "./change.ts";
import type { Wish } from "./incident.ts";

/** Who asked for something, when and why, as an incident keeps it. */
export function wishOf(command: Command): Wish {
  const { id, operator, road, reason, receivedAt } = command;
  const batch = "batch" in command ? command.batch : undefined;
  return { command: id, operator, road, reason, at: receivedAt, ...(batch !== undefined && { batch }) };
}

/** What each line of the history that a command caused carries: whoever follows the command finds its lines by it. */
export function causedBy({ command, road, batch }: Pick<Wish, "command" | "road" | "batch">): Detail {
  return { command, road, ...(batch !== undefined && { batch: batch.id, of: batch.of }) };
}

/** Why, and that it was one of several that one request asked for. */
export function reasonIn({ reason, batch }: Pick<Wish, "reason" | "batch">): string {
  return batch === undefined ? reason : `${reason} (one of ${batch.of} at once)`;
}
