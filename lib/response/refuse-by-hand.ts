import type { AdoptCommand, SuspendCommand } from "../inbox/commands.ts";
import { followedBy, type IncidentRecord } from "../incidents/change.ts";
import { commandRefused } from "../incidents/coming-back.ts";
import { incidentIdFor, openIncident, type Tripping } from "../incidents/record.ts";
import { refusedOutright } from "../incidents/refused-outright.ts";
import { wishOf } from "../incidents/wish.ts";
import type { Responder } from "./responder.ts";

/**
 * Refuses a command that is about an account, and not about an incident that there is.
 * @param told the incident that says so; where the account has none, one is made that is over at once
 * @throws what the store throws
 */
export async function refuseByHand(
  { store, log, clock }: Responder,
  tripping: Tripping & { signal: AdoptCommand | SuspendCommand },
  told: IncidentRecord | undefined,
  why: string,
): Promise<IncidentRecord> {
  const command = tripping.signal;
  log.warn("command-refused", { accountSid: command.accountSid, command: command.id, why });
  const now = clock.now();
  const wish = wishOf(command);
  if (told !== undefined) return store.change(told, (record) => commandRefused(record, wish, why, now));
  const id = incidentIdFor(command);
  const opened = openIncident(id, tripping, now);
  return (await store.load(id)) ?? store.save(followedBy(opened, (record) => refusedOutright(record, wish, why, now)));
}
