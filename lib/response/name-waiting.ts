import pLimit from "p-limit";
import type { WaitingAccount } from "../alerts/compose.ts";
import type { Incident } from "../incidents/incident.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import type { BrakeAlertToPublish, BrakeAnnouncement } from "./announce-waiting.ts";
import type { Responder } from "./responder.ts";

/** As `announce` has it, with the names that Twilio knows. */
export type NamedAnnouncement =
  | Exclude<BrakeAnnouncement, BrakeAlertToPublish>
  | (BrakeAlertToPublish & { accounts: WaitingAccount[] });

const NAME_TIMEOUT_MS = 2000;

/** Whom the brake's alert of this incident names, if it is to be published at all. @throws what the store throws. */
export async function nameWaiting(
  { brake, twilio }: Pick<Responder, "brake" | "twilio">,
  { accountSid, id, because }: Incident,
): Promise<NamedAnnouncement> {
  // A person has suspended it, or it was let through meanwhile: the others see to themselves.
  if (because !== "brake") return { kind: "told-elsewhere" };
  const announcement = await brake.announce(accountSid, id);
  if (announcement.kind !== "tell") return announcement;
  const accounts = await pLimit(10).map(announcement.names, async ({ accountSid: sid }) => {
    const account = await fetchAccount(twilio, sid, NAME_TIMEOUT_MS);
    return { accountSid: sid, friendlyName: account.kind === "ok" ? account.body.friendlyName : null };
  });
  return { ...announcement, accounts };
}
