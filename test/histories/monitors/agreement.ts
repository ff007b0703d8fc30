import type { Incident } from "../../../lib/incidents/incident.ts";
import { recordIn, recordsIn } from "../core.ts";
import { isEnforced, isPutAside, nameOf, openRecord } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** No request of ours is waited for so long. */
const GIVEN_UP_MS = 2000;
/** From what Twilio says until it is written down, whatever goes wrong. */
const MOMENT_MS = 60_000;

/** Invariant 6: in the end the record and Twilio agree, or people were told that they don't. */
export const agreement: MakeMonitor = (world, violated) => {
  const { twilio, table } = world;
  /** Whose the last suspension of an account was. */
  const suspendedBy = new Map<string, "us" | "others">();
  const toldOfTampering = new Set<string>();
  const states = new Map<string, string>();
  const activatedAt = new Map<string, number>();

  /** Invariant 4: suspended means that Twilio said so; and nobody else has made it active a moment ago. */
  function judgeMove({ id, accountSid, state }: Incident): void {
    const isNew = state === "suspended" && states.get(id) !== state;
    states.set(id, state);
    const isSuspended = twilio.known(accountSid).status !== "active";
    const wasActivated = world.time.now() - (activatedAt.get(accountSid) ?? Number.NEGATIVE_INFINITY) < MOMENT_MS;
    if (isNew && !isSuspended && !wasActivated)
      violated("not-read-back", `${nameOf(world, accountSid)} is suspended, says its incident, and it is active`);
  }

  return {
    watch(seen) {
      const incident = seen.what === "written" ? recordIn(seen.item)?.incident : undefined;
      if (incident !== undefined) judgeMove(incident);
      if (seen.what === "status-changed" && seen.to === "active" && (seen.run === undefined || seen.took > GIVEN_UP_MS))
        activatedAt.set(seen.accountSid, world.time.now());
      if (seen.what === "status-changed" && seen.to === "suspended") {
        // A request that comes true when its incident is over is Twilio's doing: nobody asked for it any more.
        const isOvertaken = seen.took > GIVEN_UP_MS && openRecord(world, seen.accountSid) === undefined;
        suspendedBy.set(seen.accountSid, seen.run === undefined || isOvertaken ? "others" : "us");
      }
      if (seen.what === "published" && seen.alert.about === "tampered") toldOfTampering.add(seen.alert.incident.id);
    },
    atTheEnd() {
      for (const accountSid of twilio.sids) {
        const { status, suspendedByTwilio } = twilio.known(accountSid);
        const incident = openRecord(world, accountSid)?.incident;
        const name = nameOf(world, accountSid);
        const isOurs = suspendedBy.get(accountSid) === "us" && !suspendedByTwilio;
        // Exempted meanwhile, and the table out when it was suspended: the next try knows of nothing to write down.
        const isEnforcedNow = isEnforced(world.policy(), accountSid);
        if (
          status === "suspended" &&
          isOurs &&
          isEnforcedNow &&
          incident?.state !== "suspended" &&
          !isPutAside(world, accountSid)
        )
          violated("silent-suspension", `${name} was suspended by us; its incident is ${incident?.state}`);
        if (status !== "active" || incident?.state !== "suspended") continue;
        const isTold = toldOfTampering.has(incident.id) || incident.because === "brake";
        if (!isTold && isEnforcedNow)
          violated("says-suspended", `${name} is active, its incident says suspended, and nobody was told`);
      }
      for (const { incident, callsDue } of recordsIn(table))
        if (incident.state === "suspended" && callsDue)
          violated("calls-due", `the calls of ${nameOf(world, incident.accountSid)} were never ended`);
    },
  };
};
