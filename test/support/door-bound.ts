import type { Policy } from "../../lib/policy/policy.ts";
import { NOTE_SLOT_MS, STOP_SLOT_MS } from "../../lib/policy/stands-for.ts";

/** So many messages of one account can be new to the inbox within so many milliseconds, whatever is sent. */
export function mostStored({ limits }: Policy, milliseconds: number): number {
  const slots = (length: number) => Math.ceil(milliseconds / length) + 1;
  const warnings = Object.values(limits).filter(({ then }) => then === "alert").length;
  // Recent, late and doubtful; not understood, old, below, doubtful, unlisted.
  return 3 * slots(STOP_SLOT_MS) + (warnings + 5) * slots(NOTE_SLOT_MS);
}
