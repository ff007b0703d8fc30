import { PARENT_TOKEN } from "../world/twilio.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 11: no token is in a log, an alert or the table. */
export const secrets: MakeMonitor = ({ twilio, thief, table, outputs }, violated) => ({
  atTheEnd() {
    const tokens = [PARENT_TOKEN, ...thief.stolen(), ...twilio.sids.map((sid) => twilio.known(sid).authToken)];
    const said = [...outputs, ...[...table.items()].map((item) => JSON.stringify(item))];
    const leaks = said.filter((text) => tokens.some((token) => text.includes(token)));
    for (const text of leaks) violated("secret", `a token is in ${text.slice(0, 200)}`);
  },
});
