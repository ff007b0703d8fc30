import { type Change, followedBy, type IncidentRecord, move } from "./change.ts";
import { commandRefused } from "./coming-back.ts";
import type { Wish } from "./incident.ts";

/**
 * What a person asked for could not be, and there is no other incident to say so in: this one is over as soon as it
 * began. It stands for nothing but the answer to whoever follows the command, so nobody is alerted.
 */
export function refusedOutright(record: IncidentRecord, wish: Wish, why: string, now: Date): Change {
  const dismissal: Wish = { ...wish, operator: "tollbreaker", reason: why };
  return followedBy(commandRefused(record, wish, why, now), (refused) => ({
    record: move(refused, "dismissed", now.toISOString(), { dismissal, reason: why }),
    entries: [],
  }));
}
