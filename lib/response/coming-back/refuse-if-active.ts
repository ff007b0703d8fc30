import type { ReactivateCommand } from "../../inbox/commands.ts";
import type { IncidentRecord } from "../../incidents/change.ts";
import { refusedAsActive } from "../../incidents/watched.ts";
import { wishOf } from "../../incidents/wish.ts";
import { endsTampering } from "../../policy/exemption.ts";
import { fetchAccount } from "../../twilio/accounts.ts";
import type { Order, Responder } from "../responder.ts";
import { REQUEST_TIMEOUT_MS } from "./journey.ts";

export const ACTIVE_ALREADY =
  "the account is active already, set so by somebody past us and perhaps unguarded: to bring it back armed, suspend it (tollbreaker suspend SID), then reactivate it";

/**
 * Before it is on its way: an account that somebody set active past us is not `suspended` for having been asked for. People
 * are told at once that it is active; where the policy wants it suspended again, that is done next, in its own order.
 * @returns undefined where Twilio does not say that it is active: the check-list has the last word.
 * @throws what the store throws, and the inbox
 */
export async function refuseIfActive(
  responder: Responder,
  { command }: Order<ReactivateCommand>,
  found: IncidentRecord,
): Promise<IncidentRecord | undefined> {
  const { store, twilio, inbox, policy, clock } = responder;
  const { accountSid, state, id: incidentId } = found.incident;
  if (state !== "suspended") return undefined;
  const account = await fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS);
  if (account.kind === "failed" || account.body.sid !== accountSid || account.body.status !== "active")
    return undefined;
  const now = clock.now();
  if (endsTampering(accountSid, policy, now)) {
    await inbox.put({
      kind: "tampered",
      id: `tampered:${command.id}`,
      accountSid,
      receivedAt: now.toISOString(),
      incidentId,
    });
  }
  return store.change(found, (record) => refusedAsActive(record, wishOf(command), ACTIVE_ALREADY, now));
}
