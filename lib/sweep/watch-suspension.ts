import type { FoundSuspendedNudge } from "../inbox/nudges.ts";
import { saysActive } from "../incidents/watched.ts";
import type { Known, Recalled } from "./known.ts";
import type { Watch } from "./watch-incident.ts";

/**
 * Pure. The other direction of tampering: Twilio lists the account as suspended, and the record does not say so. With each
 * sweep, as long as they differ: the responder reads for himself, and writes down what he reads.
 */
export function watchSuspension(recalled: Recalled, { account, listedAt, now }: Watch): FoundSuspendedNudge[] {
  const { accountSid, status, watchOnly } = account;
  if (status !== "suspended" || watchOnly === true || !isUnrecorded(recalled)) return [];
  const id = `found-suspended:${accountSid}:${listedAt}`;
  return [{ kind: "found-suspended", id, accountSid, receivedAt: now.toISOString() }];
}

function isUnrecorded(recalled: Recalled): boolean {
  const { open } = recalled.kind === "known" ? recalled.known : recalled;
  if (open !== undefined) return saysActive(open.incident);
  return recalled.kind === "known" && isNews(recalled.known);
}

/** Accounts that were suspended before Tollbreaker first saw them are their owner's affair, and may be many. */
function isNews({ memory, lastReactivatedAt, isClaimed }: Known): boolean {
  return !isClaimed && (memory?.hasBeenActive === true || lastReactivatedAt !== null);
}
