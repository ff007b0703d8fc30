import { brakeIn, recordsIn, timelineIn } from "../core.ts";
import type { AcceptedCommand } from "../world/seen.ts";
import { isPutAside, nameOf } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 8: whatever was accepted from an operator is in the record in the end, done or refused. */
export const answered: MakeMonitor = (world, violated) => {
  const accepted: AcceptedCommand[] = [];
  return {
    watch(seen) {
      if (seen.what === "accepted") accepted.push(seen.command);
    },
    atTheEnd() {
      const { table } = world;
      const entries = recordsIn(table).flatMap(({ incident }) => timelineIn(table, incident.id));
      const known = new Set([
        ...entries.map(({ detail }) => detail["command"]),
        ...brakeIn(table).releases.map(({ command }) => command),
      ]);
      for (const { id, kind, accountSid } of accepted)
        if (!known.has(id) && !isPutAside(world, id))
          violated(
            "unanswered",
            `${kind} of ${nameOf(world, accountSid)} was accepted, and nothing says what became of it`,
          );
    },
  };
};
