import type { IncidentStory } from "../incident-view.ts";
import { code, facts } from "./markdown.ts";

/** What Twilio Support, and a later search, needs to find the same things. */
export function identifiers({ id, accountSid, trip, errors, reactivation, ranking }: IncidentStory): string {
  const others = (ranking?.spenders ?? []).map((spender) => spender.accountSid).filter((sid) => sid !== accountSid);
  return facts([
    ["Incident", code(id)],
    ["AccountSid", code(accountSid)],
    ["AccountSids of the top spenders", codes(others)],
    ["UsageTriggerSid", code(trip?.usageTriggerSid ?? "")],
    ["Notifications of the sampled errors", codes((errors?.samples ?? []).map(({ sid }) => sid))],
    ["Usage triggers of the probation", codes(reactivation?.guards ?? [])],
  ]);
}

function codes(sids: readonly string[]): string {
  return sids.map(code).join(", ");
}
