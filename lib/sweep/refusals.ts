import { messageOf } from "../errors.ts";
import type { Known } from "./known.ts";
import type { Sweeper } from "./sweeper.ts";

/** Whether people have yet to be told today that an account could not be armed: it is new, or the day is. */
export function isUntold({ refusalToldOn }: Pick<Known, "refusalToldOn">, now: Date): boolean {
  return refusalToldOn !== dayOf(now);
}

/** Only after they were reported: what was never reported has been told to nobody. */
export async function noteRefusals({ memory, clock, log }: Sweeper, accountSids: readonly string[]): Promise<void> {
  try {
    for (const accountSid of accountSids) await memory.noteRefusal(accountSid, dayOf(clock.now()));
  } catch (error) {
    // The next sweep tells it again, then.
    log.warn("refusal-not-noted", { reason: messageOf(error) });
  }
}

/** GMT. */
function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
