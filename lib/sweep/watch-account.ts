import { messageOf } from "../errors.ts";
import type { Nudge } from "../inbox/nudges.ts";
import type { Incident } from "../incidents/incident.ts";
import type { Raises } from "../policy/raise.ts";
import type { OpenIncident } from "./known.ts";
import type { SweptAccount } from "./shard.ts";
import type { Sweeper, Turn } from "./sweeper.ts";
import { countsOnly, type Tally } from "./tally.ts";
import { watchIncident, watchUntold } from "./watch-incident.ts";
import { watchRaises } from "./watch-raises.ts";

/**
 * Asks the responder to look after an account's open incident, and those that are over and people may still have to be told
 * of. By the list of accounts and our own table alone: Twilio may well refuse to show the usage triggers of an account that
 * is suspended, which is the one to be watched.
 */
export async function watchAccount(
  { policy, inbox, clock, log }: Sweeper,
  account: SweptAccount,
  { open, untold, raises }: { open: OpenIncident | undefined; untold: readonly Incident[]; raises: Raises },
  { listedAt }: Turn,
): Promise<Tally> {
  const now = clock.now();
  const nudges = [
    ...watchIncident(open, { account, listedAt, policy, now }),
    ...watchUntold(untold, now),
    ...watchRaises(account.accountSid, raises, policy, now),
  ];
  const counts = { open: open === undefined ? 0 : 1 };
  try {
    for (const nudge of nudges) await inbox.put(nudge);
    return countsOnly({ ...counts, ...countsOf(nudges) });
  } catch (error) {
    log.error("incident-not-watched", { accountSid: account.accountSid, reason: messageOf(error) });
    return countsOnly({ ...counts, unread: 1 });
  }
}

function countsOf(nudges: readonly Nudge[]) {
  const count = (kind: Nudge["kind"]) => nudges.filter((nudge) => nudge.kind === kind).length;
  return { tampered: count("tampered"), driven: count("drive"), reminded: count("remind") };
}
