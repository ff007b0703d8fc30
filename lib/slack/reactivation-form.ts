import type { InputBlock, ModalView } from "@slack/types";
import { nameOf } from "../alerts/facts.ts";
import { utc } from "../alerts/times.ts";
import { type Check, type CheckId, type Checklist, CLEANUP_IDS, type CleanupId } from "../incidents/checklist.ts";
import type { Incident } from "../incidents/incident.ts";
import { anyOf, type Choice, form, oneOf, reasonInput, said, shortText } from "./form.ts";
import type { FormTarget } from "./form-target.ts";

/** Where each answer of the form stands. */
export const CLEANUP_BLOCK = "cleanup";
export const COUNTRIES_BLOCK = "countries";
export const checkBlock = (id: string) => `check:${id}`;

/** The reason, an answer to each item of the check-list that is not known to be in order, and further clean-ups. */
export function reactivationForm(incident: Incident, checklist: Checklist, target: FormTarget): ModalView {
  const open = checklist.items.filter(({ answer }) => answer !== "done");
  return form({
    ...{ form: "reactivate", title: "Reactivate", submit: "Reactivate", target },
    blocks: [
      said(`${nameOf(incident)} (${incident.accountSid}) is suspended${since(incident)}. ${read(checklist)}`),
      reasonInput("the leaked API key is revoked"),
      ...open.map(question),
      anyOf(FURTHER, true),
      shortText(COUNTRIES, "US, GB"),
    ],
  });
}

function since({ suspendedAt }: Incident): string {
  return suspendedAt === null ? "" : ` since ${utc(suspendedAt)}`;
}

function read({ readAt, items }: Checklist): string {
  const inOrder = items.filter(({ answer }) => answer === "done").map(({ id }) => NAMES[id]);
  const list = inOrder.length === 0 ? "nothing is known to be in order" : `in order: ${inOrder.join(", ")}`;
  return `The check-list was read ${utc(readAt)}; ${list}. It is read again before anything is changed.`;
}

function question({ id, answer, why }: Check): InputBlock {
  const label = `${NAMES[id]}: ${answer === "not-done" ? "not in order" : "cannot tell"}`;
  return oneOf({ block: checkBlock(id), label, hint: why, options: choices(id) });
}

function choices(id: CheckId): Choice[] {
  const cleanup = CLEANUP_IDS.find((known) => known === id);
  const acknowledge = { value: "acknowledge", text: "Leave it as it is: I know, and accept it" };
  return cleanup === undefined ? [acknowledge] : [{ value: "cleanup", text: CLEANUPS[cleanup] }, acknowledge];
}

const NAMES = {
  "suspended-by": "Who suspended it",
  "live-calls": "Live calls",
  "api-keys": "API keys",
  "auth-token": "Auth token",
  triggers: "Usage triggers",
} as const satisfies Record<CheckId, string>;

/** At most 75 characters: Slack's rule for an option. */
const CLEANUPS = {
  "live-calls": "End all its live calls",
  "api-keys": "Delete all its API keys: programs that use one stop",
  triggers: "Create the usage triggers that are missing",
  "auth-token": "New auth token right after activation: the old one gets 401",
  "unroute-numbers": "Take the voice and SMS webhooks off all its numbers",
  "voice-countries": "Let it call the countries below only",
} as const satisfies Record<CleanupId, string>;

const FURTHER = {
  block: CLEANUP_BLOCK,
  label: "Further clean-ups",
  hint: "The webhooks are kept, and can be given back: tollbreaker incidents restore-numbers.",
  options: (["unroute-numbers", "voice-countries"] as const).map((id) => ({ value: id, text: CLEANUPS[id] })),
};

const COUNTRIES = {
  block: COUNTRIES_BLOCK,
  label: "Countries that it may call",
  hint: "ISO 3166-1 codes of two letters. Only together with the clean-up above.",
};
