import { recordsIn } from "../core.ts";
import type { Run } from "../world/faults.ts";
import { isPutAside, nameOf } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariants 6 and 7: every alert that is due is published in the end, and once, unless somebody was cut in between. */
export const told: MakeMonitor = (world, violated) => {
  const publishedBy = new Map<string, (Run | undefined)[]>();
  const ended = new Map<Run, string>();
  const wasCut = (run: Run | undefined) =>
    run === undefined || run.faults.length > 0 || run.metOutage.size > 0 || ended.get(run) === "killed";
  return {
    watch(seen) {
      if (seen.what === "run-ended") ended.set(seen.run, seen.how);
      if (seen.what !== "published") return;
      const { id } = seen.alert;
      publishedBy.set(id, [...(publishedBy.get(id) ?? []), seen.run]);
    },
    atTheEnd() {
      for (const { incident } of recordsIn(world.table)) {
        const due = incident.alerts.filter(({ publishedAt }) => publishedAt === null).map(({ about }) => about);
        const name = nameOf(world, incident.accountSid);
        if (due.length > 0 && !isPutAside(world, incident.id))
          violated("untold", `nobody was told of ${name}, which is ${incident.state}: ${due}`);
      }
      // Those that the brake holds are told of together, by the alert of one of them.
      for (const { incident } of recordsIn(world.table))
        for (const { id, because, publishedAt } of incident.alerts)
          if (publishedAt !== null && because !== "brake" && !publishedBy.has(id))
            violated("not-published", `the record says that people were told, and nobody was: ${id}`);
      for (const [id, runs] of publishedBy)
        if (runs.length > 1 && !runs.some(wasCut))
          violated("told-twice", `published ${runs.length} times without any fault: ${id}`);
    },
  };
};
