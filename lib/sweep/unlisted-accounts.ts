import { messageOf } from "../errors.ts";
import { INCIDENT_STATES, type Incident, type IncidentState } from "../incidents/incident.ts";
import type { IncidentReader } from "../incidents/incident-reader.ts";
import { isOver } from "../incidents/transitions.ts";
import type { Log } from "../log.ts";
import type { SweptAccount } from "./shard.ts";

interface Parts {
  incidents: Pick<IncidentReader, "list">;
  log: Log;
}

const PAGE = 100;

/**
 * Accounts that Twilio does not list, any more or this time, and that have an incident: its alerts are sent, and people are
 * reminded of it, until it is over. Never throws: those that are listed are swept all the same.
 * @param listed AccountSids
 */
export async function unlistedAccounts(
  { incidents, log }: Parts,
  listed: ReadonlySet<string>,
): Promise<SweptAccount[]> {
  try {
    const found = await Promise.all(INCIDENT_STATES.map((state) => inState(incidents, state)));
    const unlisted = found.flat().filter(({ accountSid }) => !listed.has(accountSid) && SID.test(accountSid));
    return [...new Map(unlisted.map((incident) => [incident.accountSid, watchedOnly(incident)])).values()];
  } catch (error) {
    log.error("unlisted-accounts-not-read", { reason: messageOf(error) });
    return [];
  }
}

const SID = /^AC[0-9a-fA-F]{32}$/;

/** All that are open; of those that are over the latest, where people are still to be told. */
async function inState(incidents: Parts["incidents"], state: IncidentState): Promise<Incident[]> {
  let { incidents: found, next } = await incidents.list({ state, limit: PAGE });
  if (isOver(state)) return found.filter(({ alerts }) => alerts.some(({ publishedAt }) => publishedAt === null));
  while (next !== null) {
    const page: Awaited<ReturnType<IncidentReader["list"]>> = await incidents.list({
      state,
      limit: PAGE,
      before: next,
    });
    found = [...found, ...page.incidents];
    next = page.next;
  }
  return found;
}

/** Whatever Twilio would say of it: nothing is found out about it but by its incident. */
function watchedOnly({ accountSid, friendlyName }: Incident): SweptAccount {
  return { accountSid, status: "closed", friendlyName: friendlyName ?? "", watchOnly: true };
}
