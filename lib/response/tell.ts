import { alerted, followedBy, type IncidentRecord } from "../incidents/record.ts";
import type { Verdict } from "../policy/decide.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { begin, type Case } from "./case.ts";
import type { Delivery, Responder } from "./responder.ts";

const NAME_TIMEOUT_MS = 3000;

/** Records what came, so that people are told; the account is only looked up for its name. */
export async function tell(
  responder: Responder,
  { signal }: Delivery,
  current: Case,
  { about, because, reason }: Extract<Verdict, { kind: "alert" }>,
): Promise<IncidentRecord> {
  const { twilio, store, clock } = responder;
  const opening = await begin(responder, signal, current, reason);
  const account = await fetchAccount(twilio, signal.accountSid, NAME_TIMEOUT_MS);
  const friendlyName = account.kind === "ok" ? account.body.friendlyName : null;
  const problem = signal.kind === "not-understood" ? signal.problem : null;
  const now = clock.now();
  return store.save(
    followedBy(opening, (record) => alerted(record, { about, because, problem, friendlyName, reason, now })),
  );
}
