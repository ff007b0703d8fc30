import { type Change, followedBy, type IncidentRecord } from "../incidents/change.ts";
import { type Alerted, alerted, alertedAgain, joined, suspended, type Tripping } from "../incidents/record.ts";
import type { Verdict } from "../policy/decide.ts";
import { type Account, fetchAccount } from "../twilio/accounts.ts";
import { type Case, opening } from "./case.ts";
import type { Responder } from "./responder.ts";

/** An alert without the account's name is better than one that waits for it. */
const NAME_TIMEOUT_MS = 1000;

/** Records what came, so that people are told; the account is only looked up for its name, where that is not known. */
export async function tell(
  responder: Responder,
  current: Case,
  tripping: Tripping,
  { about, because }: Pick<Extract<Verdict, { kind: "alert" }>, "about" | "because">,
): Promise<IncidentRecord> {
  const { store, clock } = responder;
  const { known } = current;
  const { signal, reason } = tripping;
  const account = known?.incident.friendlyName == null ? await accountOf(responder, signal.accountSid) : undefined;
  if (about === "alerted" && known === undefined && account?.status === "suspended") {
    return suspendedAlready(responder, current, tripping, account);
  }
  const friendlyName = known?.incident.friendlyName ?? account?.friendlyName ?? null;
  const problem = signal.kind === "not-understood" ? signal.problem : null;
  const alert = { about, because, problem, friendlyName, reason };
  if (known !== undefined) {
    const now = clock.now();
    return store.change(known, (record) => toldOf(record, tripping, { ...alert, now }));
  }
  const opened = await opening(responder, tripping, current);
  return store.save(followedBy(opened, (record) => alerted(record, tripping, { ...alert, now: clock.now() })));
}

/** Undefined where Twilio does not say it in time. */
async function accountOf({ twilio }: Responder, accountSid: string): Promise<Account | undefined> {
  const account = await fetchAccount(twilio, accountSid, NAME_TIMEOUT_MS);
  return account.kind === "ok" && account.body.sid === accountSid ? account.body : undefined;
}

/** Nothing would have been suspended; it is all the same, and nobody must be told that it is not. */
async function suspendedAlready(
  responder: Responder,
  current: Case,
  tripping: Tripping,
  { friendlyName }: Account,
): Promise<IncidentRecord> {
  const { store, clock } = responder;
  const { reason } = tripping;
  const opened = await opening(responder, tripping, current);
  const found = { by: "already-suspended", friendlyName, reason, now: clock.now() } as const;
  return store.save(followedBy(opened, (record) => suspended(record, found)));
}

/** What an incident that exists makes of it: its account was alerted of before, or could not be suspended. */
export function toldOf(known: IncidentRecord, tripping: Tripping, alert: Alerted): Change {
  switch (known.incident.state) {
    case "open":
      return alerted(known, tripping, alert);
    case "alerted":
      return alertedAgain(known, tripping, alert);
    default:
      // "Could not be suspended" is worse news than any that this would bring.
      return joined(known, tripping.signal, tripping.reason, alert.now);
  }
}
