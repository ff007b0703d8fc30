import type { ReactivateCommand } from "../inbox/commands.ts";
import type { DriveNudge } from "../inbox/nudges.ts";
import { type Change, followedBy, type IncidentRecord, touch, unchanged } from "../incidents/change.ts";
import type { AlertedBecause, Incident, Reactivation } from "../incidents/incident.ts";
import { alerted, waitsInstead } from "../incidents/record.ts";
import { whyLeftRunning } from "../policy/left-running.ts";
import { enforce } from "./enforce.ts";
import { foundSuspended } from "./found-suspended.ts";
import { hold } from "./hold.ts";
import { reactivate } from "./reactivate.ts";
import type { Recollection } from "./recollect.ts";
import type { Errand, Responder } from "./responder.ts";

interface Driven {
  record: IncidentRecord;
  again?: string | undefined;
}

/**
 * Goes on with an incident that nobody is at: its message was lost, Twilio refused, or a place at the brake is free again.
 * Alerts, calls and the check-list that are due are finished afterwards, whatever the state.
 */
export async function drive(
  responder: Responder,
  { nudge, ...turn }: Errand<DriveNudge>,
  current: Recollection & { known: IncidentRecord },
): Promise<Driven> {
  const { known } = current;
  const { state, reactivation, rule } = known.incident;
  if (state === "reactivating" && reactivation !== null) {
    return reactivate(responder, { command: commandOf(known, reactivation), ...turn }, known);
  }
  const reason = whyTakenUp(known.incident, nudge);
  const delivery = { signal: nudge, ...turn };
  if (reason === undefined) return { record: (await foundSuspended(responder, delivery, current)) ?? known };
  const left = whyLeft(responder, known.incident);
  if (left !== undefined) {
    const record = await foundSuspended(responder, delivery, current);
    const now = responder.clock.now();
    return { record: record ?? (await responder.store.change(known, (one) => leftRunning(one, nudge, left, now))) };
  }
  const tripping = { signal: nudge, rule, isNamed: true, reason };
  // Somebody had set it active past us.
  if (state === "suspended") return { record: (await hold(responder, delivery, current, tripping)) ?? known };
  return { record: await enforce(responder, delivery, current, tripping) };
}

/** Why the account is to be suspended after all; undefined where it is not. */
function whyTakenUp({ state, because, reason }: Incident, { isPlaceFree }: DriveNudge): string | undefined {
  switch (state) {
    case "open":
    case "failed":
      return "it was not finished: taken up again by the sweep";
    case "alerted":
    case "suspended":
      // The sweep asks for alerts that are due: a person has to decide about the account all the same.
      return because === "brake" && isPlaceFree ? `a place at the brake is free again: ${reason}` : undefined;
    default:
      return undefined;
  }
}

/** Decided anew: the policy may have changed since. What a person asked for, a person has weighed. */
function whyLeft({ policy, twilio, clock }: Responder, incident: Incident) {
  if (incident.suspension !== null) return undefined;
  return whyLeftRunning(incident, policy, { parentSid: twilio.accountSid, now: clock.now() });
}

/** Nobody goes on trying: people are told why, or read it where they were told already that it could not be suspended. */
function leftRunning(
  record: IncidentRecord,
  nudge: DriveNudge,
  { because, reason }: { because: AlertedBecause; reason: string },
  now: Date,
): Change {
  const { state, rule, failure, friendlyName, reason: before } = record.incident;
  const tripping = { signal: nudge, rule, isNamed: true, reason };
  const said = `${before}; not suspended after all: ${reason}`;
  if (state === "open") {
    return alerted(record, tripping, { about: "alerted", because, problem: null, friendlyName, reason: said, now });
  }
  if (state !== "failed" || failure?.retrying !== true) return unchanged(record);
  return followedBy(waitsInstead(record), (next) => ({
    record: touch(next, now.toISOString(), { reason: said }),
    entries: [],
  }));
}

/** The command, as it was accepted. */
function commandOf({ incident }: IncidentRecord, reactivation: Reactivation): ReactivateCommand {
  const { command, operator, road, reason, at, acknowledge, cleanup, countries, seen, batch } = reactivation;
  return {
    kind: "reactivate",
    id: command,
    accountSid: incident.accountSid,
    incidentId: incident.id,
    receivedAt: at,
    ...{ operator, road, reason },
    acknowledge: [...acknowledge],
    cleanup: [...cleanup],
    countries: [...countries],
    seen: [...seen],
    ...(batch !== undefined && { batch }),
  };
}
