import { isOver } from "../../../lib/incidents/transitions.ts";
import { accountIn, recordIn } from "../core.ts";
import { nameOf } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 6: at most one open incident of an account, and it is the one that the account's item names. */
export const oneStory: MakeMonitor = (world, violated) => {
  const open = new Map<string, Set<string>>();
  return {
    watch(seen) {
      const incident = seen.what === "written" ? recordIn(seen.item)?.incident : undefined;
      if (incident === undefined) return;
      const { accountSid, id, state } = incident;
      const ids = open.get(accountSid) ?? new Set();
      open.set(accountSid, ids);
      if (isOver(state)) return void ids.delete(id);
      ids.add(id);
      const name = nameOf(world, accountSid);
      if (ids.size > 1) violated("two-stories", `${name} has ${ids.size} open incidents`);
      if (accountIn(world.table, accountSid).openIncidentId !== id)
        violated("not-claimed", `${name}: ${id} is ${state}, and not the account's open incident`);
    },
  };
};
