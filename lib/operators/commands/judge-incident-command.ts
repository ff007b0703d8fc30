import type { Command, Road } from "../../inbox/commands.ts";
import type { Incident, TimelineEntry } from "../../incidents/incident.ts";
import { INCIDENT_ID, type IncidentReader } from "../../incidents/incident-reader.ts";
import { noSuchIncident } from "../no-such-incident.ts";
import { readRecord } from "../read-record.ts";
import { holdConflict } from "./hold-conflict.ts";
import { reactivationConflict, reactivationFlaws, seenBy, unshown } from "./judge-reactivation.ts";
import { type Found, restorationConflict } from "./judge-restoration.ts";
import { reasonMistakes } from "./reason.ts";
import { mayDismiss } from "./standing.ts";
import { stateConflict } from "./state-conflict.ts";
import { type Refused, refusalFor, refused, type Verdict } from "./verdict.ts";
import type { WishedOfIncident } from "./wished.ts";

/** What every command of this request carries. `reason` is tidied. */
export interface Envelope {
  id: string;
  receivedAt: string;
  operator: string;
  road: Road;
  reason: string;
}

/** 404, then 409, then all that is incomplete: each only makes sense once the one before is settled. */
export async function judgeIncidentCommand(
  incidents: IncidentReader,
  wish: WishedOfIncident,
  envelope: Envelope,
): Promise<Verdict> {
  const { incidentId } = wish;
  // What can't be an id isn't worth a read.
  const found = INCIDENT_ID.test(incidentId) ? await readRecord(() => incidents.get(incidentId)) : undefined;
  if (found === undefined) return refused(noSuchIncident(incidentId));
  return judgeFound(incidents, found, wish, envelope);
}

/** The same of an incident that was read a moment ago. */
export async function judgeFound(
  incidents: IncidentReader,
  found: Found,
  wish: WishedOfIncident,
  envelope: Envelope,
): Promise<Verdict> {
  const { incidentId } = wish;
  if (isCarriedOut(found.timeline, envelope)) return { kind: "repeated", incidentId };
  const { incident } = found;
  const refusal = (await conflict(incidents, found, wish)) ?? refusalFor(flaws(incident, wish, envelope));
  return refusal ?? { kind: "ready", incidentId, command: commandOf(wish, envelope, incident) };
}

/** Whether the command with this id has left its line in the history: then this is the same request once more. */
export function isCarriedOut(timeline: readonly TimelineEntry[], { id }: Pick<Envelope, "id">): boolean {
  return timeline.some(({ detail }) => detail["command"] === id);
}

async function conflict(incidents: IncidentReader, found: Found, wish: WishedOfIncident): Promise<Refused | undefined> {
  const { incident } = found;
  const { state } = incident;
  switch (wish.kind) {
    case "reactivate":
      return reactivationConflict(incident) ?? unshown(incident, wish);
    case "check":
      return state === "suspended" ? undefined : refused(stateConflict(incident, { expected: "suspended" }));
    case "restore-numbers":
      return restorationConflict(incidents, found);
    case "dismiss":
      return dismissalConflict(incident);
  }
}

/** Whether the incident is in a state in which it can be dismissed; undefined when it is. */
export function dismissalConflict(incident: Incident): Refused | undefined {
  if (mayDismiss(incident)) return undefined;
  const expected = "alerted, failed, or suspended with an account that is closed";
  if (incident.state !== "suspended") return refused(stateConflict(incident, { expected }));
  const held = holdConflict(incident, expected);
  if (held !== undefined) return held;
  const fix =
    "if it is closed, or Twilio itself suspended it, read the check-list anew (POST /api/incidents/{id}/check) first; else reactivate the account";
  return refused(stateConflict(incident, { expected, fix }));
}

function flaws(incident: Incident, wish: WishedOfIncident, { reason }: Envelope) {
  switch (wish.kind) {
    case "check":
      return [];
    case "reactivate":
      return [...reasonMistakes(reason), ...reactivationFlaws(incident, wish)];
    case "dismiss":
    case "restore-numbers":
      return reasonMistakes(reason);
  }
}

function commandOf(wish: WishedOfIncident, asked: Envelope, { accountSid, checklist }: Incident): Command {
  const { kind, incidentId } = wish;
  const envelope = { ...asked, accountSid };
  switch (kind) {
    case "check":
      return { ...envelope, kind, incidentId, reason: "" };
    case "dismiss":
      return { ...envelope, kind, incidentId };
    case "restore-numbers":
      return { ...envelope, kind, incidentId };
    case "reactivate": {
      const { acknowledge, cleanup, countries } = wish;
      return {
        ...envelope,
        kind,
        incidentId,
        acknowledge: once(acknowledge),
        cleanup: once(cleanup),
        countries: once(countries),
        seen: seenBy(checklist, wish),
      };
    }
  }
}

function once<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
