import { messageOf } from "../errors.ts";
import type { Nudge } from "../inbox/nudges.ts";
import type { Recalled } from "./known.ts";
import type { SweptAccount } from "./shard.ts";
import type { Sweeper, Turn } from "./sweeper.ts";
import { countsOnly, type Tally } from "./tally.ts";
import { watchIncident, watchUntold } from "./watch-incident.ts";
import { watchRaises } from "./watch-raises.ts";
import { watchSuspension } from "./watch-suspension.ts";

/**
 * Asks the responder to look after an account's open incident, those that are over and people may still have to be told
 * of, a suspension that is on no record, and raised limits. By the list of accounts and our own table alone: Twilio may well
 * refuse to show the usage triggers of an account that is suspended, which is the one to be watched.
 */
export async function watchAccount(
  { policy, inbox, clock, log }: Sweeper,
  account: SweptAccount,
  recalled: Recalled,
  { listedAt }: Turn,
): Promise<Tally> {
  const now = clock.now();
  const { open } = recalled.kind === "known" ? recalled.known : recalled;
  const raises = recalled.kind === "known" ? recalled.known.raises : {};
  const watch = { account, listedAt, policy, now };
  const nudges = [
    ...watchIncident(open, watch),
    ...watchUntold(recalled.untold, now),
    ...watchSuspension(recalled, watch),
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
  const foundSuspended = count("found-suspended");
  return { foundSuspended, tampered: count("tampered"), driven: count("drive"), reminded: count("remind") };
}
