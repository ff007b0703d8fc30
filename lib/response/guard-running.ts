import type { GuardNudge } from "../inbox/nudges.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { guarded } from "../incidents/watched.ts";
import { isProtected } from "../policy/exemption.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { describeFailure } from "../twilio/failures.ts";
import type { Recollection } from "./recollect.ts";
import { type Errand, type Responder, share } from "./responder.ts";
import { standGuards } from "./stand-guards.ts";
import { limitedTo } from "./time-limit.ts";

const REQUEST_TIMEOUT_MS = 4000;
const GUARDS_SHARE = 0.4;

interface Guarded {
  record?: IncidentRecord;
  again?: string;
}

/** The sweep found a running account with a limit spent, and nothing, or nothing that is counted, in its place. */
export async function guardRunning(
  responder: Responder,
  { nudge, ...turn }: Errand<GuardNudge>,
  { known, memory }: Recollection,
): Promise<Guarded> {
  const { policy, store, clock } = responder;
  const { accountSid } = nudge;
  const state = known?.incident.state;
  if (isProtected(accountSid, policy, clock.now()) || state === "open" || state === "reactivating") return {};
  const until = share(responder, turn, GUARDS_SHARE);
  const account = await fetchAccount(limitedTo(responder.twilio, until), accountSid, REQUEST_TIMEOUT_MS);
  if (account.kind === "failed") return { again: `the account could not be read: ${describeFailure(account.failure)}` };
  if (account.body.status !== "active") return {};
  const { words, isNew, failure } = await standGuards(responder, accountSid, memory, until);
  if (failure !== undefined) return { again: `its guards could not be made: ${failure}` };
  if (known === undefined || !isNew) return {};
  const now = clock.now();
  return { record: await store.change(known, (record) => guarded(record, nudge.id, words, now)) };
}
