import type { AdoptCommand } from "../inbox/commands.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import { type Change, entryBy, followedBy, type IncidentRecord } from "./change.ts";
import { suspended } from "./record.ts";
import { causedBy, wishOf } from "./wish.ts";

export interface Adopted {
  friendlyName: string;
  tokenMark: TokenMark | null;
  now: Date;
}

/**
 * An account that was suspended before we watched has an incident now: "suspended, not by us", and reactivated like any other.
 * Nobody asked for the suspension here, and no call is ended: it was not this operator who stopped it.
 */
export function adopted(
  record: IncidentRecord,
  command: AdoptCommand,
  { friendlyName, tokenMark, now }: Adopted,
): Change {
  const { id, operator, reason } = command;
  const at = now.toISOString();
  const why = "it was suspended already, and not by Tollbreaker";
  const change = suspended(record, { by: "already-suspended", friendlyName, tokenMark, reason: why, now });
  return followedBy(change, (contained) => ({
    record: { ...contained, callsDue: false },
    entries: [entryBy(operator, `adopted:${id}`, at, "adopted", reason, causedBy(wishOf(command)))],
  }));
}
