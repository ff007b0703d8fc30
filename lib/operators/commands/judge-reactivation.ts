import { missingFrom } from "../../incidents/checklist.ts";
import type { Incident } from "../../incidents/incident.ts";
import { countryMistakes } from "./countries.ts";
import { holdConflict } from "./hold-conflict.ts";
import { mayReactivate } from "./standing.ts";
import { stateConflict } from "./state-conflict.ts";
import { type Flaw, type Refused, refused } from "./verdict.ts";
import type { WishedReactivation } from "./wished.ts";

/** Whether the incident is in a state in which its account can be brought back; undefined when it is. */
export function reactivationConflict(incident: Incident): Refused | undefined {
  const { state } = incident;
  if (mayReactivate(incident)) return undefined;
  if (state !== "suspended") return refused(stateConflict(incident, { expected: "suspended" }));
  return holdConflict(incident, REACTIVABLE) ?? refused({ ...CLOSED, state });
}

const REACTIVABLE = "an account that Tollbreaker, or somebody with the parent's credentials, suspended";

const CLOSED = {
  status: 409,
  code: "account-closed",
  title: "Closed for good",
  detail: "Twilio says that the account is closed, which is final.",
  expected: "an account that is suspended",
  fix: "dismiss the incident: POST /api/incidents/{id}/dismiss",
} as const;

/** What the answers to the stored check-list lack. The responder asks again, of a fresh reading. */
export function reactivationFlaws({ checklist }: Incident, wish: WishedReactivation): Flaw[] {
  const countries = countryMistakes(wish);
  if (checklist === null) return [...countries, UNREAD];
  const missing = missingFrom(checklist, wish);
  if (missing.length === 0) return countries;
  const ids = missing.map(({ id }) => id).join(", ");
  return [...countries, { ...INCOMPLETE, got: `no answer to ${ids}`, missing }];
}

const UNREAD: Flaw = {
  code: "checklist-unread",
  detail: "What has to be in order before the account goes live again was not read yet.",
  expected: "an incident with a check-list",
  got: "none",
  fix: "ask for it: POST /api/incidents/{id}/check; it is there a few seconds later",
};

const INCOMPLETE: Flaw = {
  code: "checklist-incomplete",
  detail: "Something on the check-list is not known to be in order, and was not answered.",
  expected: "each of `missing` in `acknowledge`, or in `cleanup` where it can be cleaned up",
  fix: "mend it and check anew (POST /api/incidents/{id}/check), have it cleaned up (`cleanup`), or accept it (`acknowledge`)",
};
