import { type Change, followedBy, type IncidentRecord } from "../incidents/change.ts";
import { type Alerted, alerted, alertedAgain, joined, type Tripping } from "../incidents/record.ts";
import type { Verdict } from "../policy/decide.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { begin, type Case } from "./case.ts";
import type { Responder } from "./responder.ts";

const NAME_TIMEOUT_MS = 3000;

/** Records what came, so that people are told; the account is only looked up for its name. */
export async function tell(
  responder: Responder,
  current: Case,
  tripping: Tripping,
  { about, because }: Pick<Extract<Verdict, { kind: "alert" }>, "about" | "because">,
): Promise<IncidentRecord> {
  const { twilio, store, clock } = responder;
  const { signal, reason } = tripping;
  const opening = current.known ?? (await begin(responder, tripping, current));
  const account = await fetchAccount(twilio, signal.accountSid, NAME_TIMEOUT_MS);
  const friendlyName = account.kind === "ok" ? account.body.friendlyName : null;
  const problem = signal.kind === "not-understood" ? signal.problem : null;
  const alert = { about, because, problem, friendlyName, reason, now: clock.now() };
  const change =
    "incident" in opening
      ? toldOf(opening, tripping, alert)
      : followedBy(opening, (record) => alerted(record, tripping, alert));
  return change.record === current.known ? current.known : store.save(change);
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
