import pLimit from "p-limit";
import type { WaitingAccount } from "../alerts/compose.ts";
import type { Incident } from "../incidents/incident.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import type { Until } from "../twilio/backoff.ts";
import type { BrakeAlertToPublish, BrakeAnnouncement } from "./announce-waiting.ts";
import type { Responder } from "./responder.ts";

/** As `announce` has it, with the names that Twilio knows. */
export type NamedAnnouncement =
  | Exclude<BrakeAnnouncement, BrakeAlertToPublish>
  | (Pick<BrakeAlertToPublish, "kind" | "settle"> & { accounts: WaitingAccount[] });

const NAME_TIMEOUT_MS = 2000;
/** An alert says of no more than these who they are; how many there are besides, it says. */
const MOST_NAMES = 20;

/** Whom the brake's alert of this incident names, if it is to be published now. @throws what the store throws. */
export async function nameWaiting(
  { brake, twilio }: Pick<Responder, "brake" | "twilio">,
  { accountSid, id, because }: Incident,
  until: Until,
): Promise<NamedAnnouncement> {
  // A person has suspended it, or it was let through meanwhile: the others see to themselves.
  if (because !== "brake") return { kind: "told-elsewhere" };
  const announcement = await brake.announce(accountSid, id, until);
  if (announcement.kind !== "tell") return announcement;
  const { kind, accounts, settle } = announcement;
  const named = await pLimit(10).map(accounts, async ({ accountSid: sid }, index) => {
    if (index >= MOST_NAMES) return { accountSid: sid, friendlyName: null };
    const account = await fetchAccount(twilio, sid, NAME_TIMEOUT_MS);
    return { accountSid: sid, friendlyName: account.kind === "ok" ? account.body.friendlyName : null };
  });
  return { kind, accounts: named, settle };
}
