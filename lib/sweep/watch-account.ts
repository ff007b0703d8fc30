import { messageOf } from "../errors.ts";
import type { Nudge } from "../inbox/nudges.ts";
import type { OpenIncident } from "./known.ts";
import type { SweptAccount } from "./shard.ts";
import type { Sweeper, Turn } from "./sweeper.ts";
import { countsOnly, type Tally } from "./tally.ts";
import { watchIncident } from "./watch-incident.ts";

/**
 * Asks the responder to look after an account's open incident. By the list of accounts and our own table alone: Twilio
 * may well refuse to show the usage triggers of an account that is suspended, which is the one to be watched.
 */
export async function watchAccount(
  { policy, inbox, clock, log }: Sweeper,
  account: SweptAccount,
  open: OpenIncident | undefined,
  { listedAt }: Turn,
): Promise<Tally> {
  if (open === undefined) return countsOnly({});
  const nudges = watchIncident(open, { account, listedAt, policy, now: clock.now() });
  try {
    for (const nudge of nudges) await inbox.put(nudge);
    return countsOnly({ open: 1, ...countsOf(nudges) });
  } catch (error) {
    log.error("incident-not-watched", { accountSid: account.accountSid, reason: messageOf(error) });
    return countsOnly({ open: 1, unread: 1 });
  }
}

function countsOf(nudges: readonly Nudge[]) {
  const count = (kind: Nudge["kind"]) => nudges.filter((nudge) => nudge.kind === kind).length;
  return { tampered: count("tampered"), driven: count("drive"), reminded: count("remind") };
}
