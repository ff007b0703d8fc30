import pLimit from "p-limit";
import type { WaitingAccount } from "../alerts/compose.ts";
import { countedOf } from "../incidents/counted.ts";
import type { Incident } from "../incidents/incident.ts";
import { waitsAtBrake } from "../incidents/transitions.ts";
import type { Waiting } from "../policy/brake.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import type { Until } from "../twilio/backoff.ts";
import type { BrakeAlertToPublish, BrakeAnnouncement } from "./announce-waiting.ts";
import type { Responder } from "./responder.ts";

/** As `announce` has it, with the names that Twilio knows, and the incident as it is when the alert is to be published. */
export type NamedAnnouncement =
  | Exclude<BrakeAnnouncement, BrakeAlertToPublish>
  | (Pick<BrakeAlertToPublish, "kind" | "settle"> & { accounts: WaitingAccount[]; incident: Incident });

const NAME_TIMEOUT_MS = 2000;
/** An alert says of no more than these who they are; how many there are besides, it says. */
const MOST_NAMES = 20;

type Parts = Pick<Responder, "brake" | "twilio" | "store">;

/**
 * Whom the brake's alert of this incident names, if it is to be published now: those that wait once their names are read. It
 * takes seconds, in which people suspend and dismiss; where this account waits no more, the others see to themselves.
 * @throws what the store throws.
 */
export async function nameWaiting(
  responder: Parts,
  { id, accountSid }: Pick<Incident, "id" | "accountSid">,
  until: Until,
): Promise<NamedAnnouncement> {
  const { brake } = responder;
  // Announced, it would be on the list again.
  if ((await waitingIncident(responder, id)) === undefined) return { kind: "told-elsewhere" };
  const announcement = await brake.announce(accountSid, id, until);
  if (announcement.kind !== "tell") return announcement;
  const { kind, settle } = announcement;
  try {
    const accounts = await stillWaiting(brake, await named(responder, announcement.accounts));
    const incident = await waitingIncident(responder, id);
    if (incident !== undefined && accounts.some((one) => one.accountSid === accountSid)) {
      return { kind, settle, accounts, incident };
    }
    // Dismissed while it was being put on the list.
    if (incident === undefined) await brake.strikeOff(accountSid, id);
  } catch (error) {
    await settle(false);
    throw error;
  }
  await settle(false);
  return { kind: "told-elsewhere" };
}

/** As it is on record now; undefined where it does not wait, or any more. */
async function waitingIncident({ store }: Parts, id: string): Promise<Incident | undefined> {
  const record = await store.load(id);
  return record !== undefined && waitsAtBrake(record.incident) ? record.incident : undefined;
}

type Named = Waiting & Required<WaitingAccount>;

function named({ twilio, store }: Parts, waiting: readonly Waiting[]): Promise<Named[]> {
  return pLimit(10).map(waiting, async (one, index) => {
    if (index >= MOST_NAMES) return { ...one, friendlyName: null, counted: null };
    const [account, record] = await Promise.all([
      fetchAccount(twilio, one.accountSid, NAME_TIMEOUT_MS),
      store.load(one.incidentId),
    ]);
    const friendlyName = account.kind === "ok" ? account.body.friendlyName : null;
    return { ...one, friendlyName, counted: record === undefined ? null : countedOf(record.incident) };
  });
}

/** Those that are on the list with the same incident. */
async function stillWaiting({ waiting }: Responder["brake"], all: readonly Named[]): Promise<WaitingAccount[]> {
  const left = new Set<string>();
  for await (const page of waiting()) for (const { incidentId } of page) left.add(incidentId);
  return all
    .filter(({ incidentId }) => left.has(incidentId))
    .map(({ accountSid, friendlyName, counted }) => ({ accountSid, friendlyName, counted }));
}
