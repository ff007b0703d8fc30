import type { Command } from "../inbox/commands.ts";
import type { Detail } from "./change.ts";
import type { Wish } from "./incident.ts";

/** Who asked for something, when and why, as an incident keeps it. */
export function wishOf({ id, operator, road, reason, receivedAt }: Command): Wish {
  return { command: id, operator, road, reason, at: receivedAt };
}

/** What each line of the history that a command caused carries: whoever follows the command finds its lines by it. */
export function causedBy({ command, road }: Pick<Wish, "command" | "road">): Detail {
  return { command, road };
}
