import type { BrakeView } from "./brake-view.ts";
import { checked } from "./checked.ts";
import { Failure } from "./failure.ts";
import { IncidentListing } from "./incident-view.ts";
import { readFrom } from "./request.ts";
import type { Server } from "./server.ts";

/** The brake knows no names of accounts; the incidents of those that wait do. Null where it could not be read. */
export interface NamedBrake extends Omit<BrakeView, "waiting"> {
  waiting: readonly (BrakeView["waiting"][number] & { friendlyName: string | null })[];
}

/** Who waits is alerted about; whoever waits anew after a suspension keeps that state. */
const STATES = ["alerted", "suspended"] as const;
/** Of 100 incidents each: a name is not worth more. */
const MOST_PAGES = 10;

/** With as many names as can be read: whom the brake holds is shown without them, too. */
export async function withNames(brake: BrakeView, server: Server): Promise<NamedBrake> {
  const names = new Map<string, string>();
  const wanted = new Set(brake.waiting.map(({ incidentId }) => incidentId));
  for (const state of STATES) await collect(names, wanted, state, server);
  const waiting = brake.waiting.map((one) => ({ ...one, friendlyName: names.get(one.incidentId) ?? null }));
  return { ...brake, waiting };
}

async function collect(names: Map<string, string>, wanted: Set<string>, state: string, server: Server): Promise<void> {
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES && wanted.size > 0; page++) {
    const listing: IncidentListing | undefined = await readPage(server, state, cursor);
    for (const { id, friendlyName } of listing?.incidents ?? []) {
      if (wanted.delete(id) && friendlyName !== null) names.set(id, friendlyName);
    }
    cursor = listing?.next ?? null;
    if (cursor === null) return;
  }
}

async function readPage(server: Server, state: string, cursor: string | null): Promise<IncidentListing | undefined> {
  const query = new URLSearchParams({ state, limit: "100", ...(cursor !== null && { cursor }) });
  try {
    return checked(IncidentListing, await readFrom(server, `/api/incidents?${query}`), server);
  } catch (thrown) {
    if (thrown instanceof Failure) return undefined;
    throw thrown;
  }
}
