import { messageOf } from "../errors.ts";
import type { Known } from "./known.ts";
import type { SweptAccount } from "./shard.ts";
import type { Sweeper, Turn } from "./sweeper.ts";
import { countsOnly, nameOf, type Tally } from "./tally.ts";

/**
 * An account that the first sweep finds suspended, and that has no incident: our own table does not know who suspended it.
 * Told with all others in one notice, so that an operator can adopt it; kept, so that it is not told again.
 */
export async function noteFoundSuspended(
  { memory, log }: Pick<Sweeper, "memory" | "log">,
  account: SweptAccount,
  known: Known,
  { isFirst, sweepId }: Pick<Turn, "isFirst" | "sweepId">,
): Promise<Tally> {
  const { accountSid, status, watchOnly } = account;
  const { foundSuspendedIn } = known;
  try {
    // Who suspends it after this is another story.
    if (status === "active" && foundSuspendedIn !== null) await memory.noteFoundSuspended(accountSid, null);
    // A shard that is handed out again says the same once more.
    const isNews = foundSuspendedIn === null || foundSuspendedIn === sweepId;
    if (!isFirst || !isNews || watchOnly || status !== "suspended" || known.isClaimed) return countsOnly({});
    await memory.noteFoundSuspended(accountSid, sweepId);
    const { names, ...tally } = countsOnly({ suspendedBefore: 1 });
    return { ...tally, names: { ...names, suspendedBefore: [nameOf(account)] } };
  } catch (error) {
    log.error("suspended-account-not-noted", { accountSid, reason: messageOf(error) });
    return countsOnly({ unread: 1 });
  }
}
