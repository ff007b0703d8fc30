import { recordsIn } from "../core.ts";
import { isEnforced, isPutAside, nameOf, openRecord } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 6: in the end the record and Twilio agree, or people were told that they don't. */
export const agreement: MakeMonitor = (world, violated) => {
  const { twilio, table } = world;
  /** Whose the last suspension of an account was. */
  const suspendedBy = new Map<string, "us" | "others">();
  const toldOfTampering = new Set<string>();
  return {
    watch(seen) {
      if (seen.what === "status-changed" && seen.to === "suspended")
        suspendedBy.set(seen.accountSid, seen.run === undefined ? "others" : "us");
      if (seen.what === "published" && seen.alert.about === "tampered")
        toldOfTampering.add(seen.alert.incident.id);
    },
    atTheEnd() {
      for (const accountSid of twilio.sids) {
        const { status, suspendedByTwilio } = twilio.known(accountSid);
        const incident = openRecord(world, accountSid)?.incident;
        const name = nameOf(world, accountSid);
        const isOurs = suspendedBy.get(accountSid) === "us" && !suspendedByTwilio;
        if (status === "suspended" && isOurs && incident?.state !== "suspended" && !isPutAside(world, accountSid))
          violated("silent-suspension", `${name} was suspended by us; its incident is ${incident?.state}`);
        if (status !== "active" || incident?.state !== "suspended") continue;
        const isTold = toldOfTampering.has(incident.id) || incident.because === "brake";
        if (!isTold && isEnforced(world.policy(), accountSid))
          violated("says-suspended", `${name} is active, its incident says suspended, and nobody was told`);
      }
      for (const { incident, callsDue } of recordsIn(table))
        if (incident.state === "suspended" && callsDue)
          violated("calls-due", `the calls of ${nameOf(world, incident.accountSid)} were never ended`);
    },
  };
};
