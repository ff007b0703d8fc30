import { type Check, type Checklist, digestOf, missingFrom } from "../../incidents/checklist.ts";
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

/**
 * 409 for answers to another check-list than the one on record: what an operator accepts is what that operator was shown.
 * The refusal carries the list, to be shown and answered. Undefined where it is the same, and where none is named.
 */
export function unshown({ checklist }: Incident, wish: Pick<WishedReactivation, "checklist">): Refused | undefined {
  if (checklist === null || wish.checklist === undefined) return undefined;
  const now = shown(checklist);
  return wish.checklist === now.digest ? undefined : refused({ ...CHANGED, got: wish.checklist, checklist: now });
}

const CHANGED = {
  status: 409,
  code: "checklist-changed",
  title: "Another check-list",
  detail: "The check-list was read anew since, and is not the one that you answered.",
  expected: "the `digest` of the check-list on record, which is `checklist` here",
  fix: "look at what it says now, and answer that",
} as const;

/** A check-list with the digest by which it is answered. */
export function shown(checklist: Checklist): Checklist & { digest: string } {
  return { ...checklist, digest: digestOf(checklist) };
}

/** What was shown to whoever asks, after `unshown` let it pass; nothing where no list was named. */
export function seenBy(checklist: Checklist | null, wish: Pick<WishedReactivation, "checklist">): Check[] {
  return checklist === null || wish.checklist === undefined ? [] : [...checklist.items];
}

/** What the answers to the stored check-list lack. The responder asks again, of a fresh reading. */
export function reactivationFlaws({ checklist }: Incident, wish: WishedReactivation): Flaw[] {
  const countries = countryMistakes(wish);
  if (checklist === null) return [...countries, UNREAD];
  const missing = missingFrom(checklist, wish);
  const ids = missing.map(({ id }) => id).join(", ");
  const incomplete = missing.length === 0 ? [] : [{ ...INCOMPLETE, got: `no answer to ${ids}`, missing }];
  const isBlind = wish.acknowledge.length > 0 && wish.checklist === undefined;
  const blind = isBlind ? [{ ...BLIND, checklist: shown(checklist) }] : [];
  return [...countries, ...incomplete, ...blind];
}

const BLIND: Flaw = {
  code: "checklist-unnamed",
  detail: "What is acknowledged does not say which check-list it was read on.",
  expected: "`checklist`: the `digest` of the check-list that you were shown",
  got: "none",
  fix: "read the incident (GET /api/incidents/{id}), look at its check-list, and send its `digest` as `checklist`",
};

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
