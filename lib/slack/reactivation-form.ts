import type { InputBlock, ModalView } from "@slack/types";
import { nameOf } from "../alerts/facts.ts";
import { utc } from "../alerts/times.ts";
import {
  type Check,
  type CheckId,
  type Checklist,
  CLEANUP_IDS,
  type CleanupId,
  digestOf,
} from "../incidents/checklist.ts";
import type { Incident } from "../incidents/incident.ts";
import { anyOf, type Choice, form, oneOf, reasonInput, said, shortText } from "./form.ts";
import type { FormTarget } from "./form-target.ts";

/** Where each answer of the form stands. */
export const CLEANUP_BLOCK = "cleanup";
export const COUNTRIES_BLOCK = "countries";
/**
 * A form that takes another's place keeps what was chosen in blocks of the same name
 * (https://docs.slack.dev/surfaces/modals#updating_views): answers to a list that is no more would answer the new one.
 */
export function checkBlock(id: string, { checklist, isAskedAgain }: AnsweredList): string {
  return isAskedAgain ? `check:${id}:${checklist}` : `check:${id}`;
}
type AnsweredList = Pick<FormTarget, "checklist" | "isAskedAgain">;

/** The reason, an answer to each item of the check-list that is not known to be in order, and further clean-ups. */
export function reactivationForm(incident: Incident, checklist: Checklist, about: FormTarget): ModalView {
  const open = checklist.items.filter(({ answer }) => answer !== "done");
  const target = { ...about, checklist: digestOf(checklist) };
  return form({
    ...{ form: "reactivate", title: "Reactivate", submit: "Reactivate", target },
    blocks: [
      ...(target.isAskedAgain ? [said(CHANGED)] : []),
      said(`${nameOf(incident)} (${incident.accountSid}) is suspended${since(incident)}. ${read(checklist)}`),
      reasonInput("the leaked API key is revoked"),
      ...open.map((item) => question(item, target)),
      anyOf(FURTHER, true),
      shortText(COUNTRIES, "US, GB"),
    ],
  });
}

const CHANGED =
  "Nothing was done: the check-list was read anew meanwhile, and says something else. Answer it as it is now.";

function since({ suspendedAt }: Incident): string {
  return suspendedAt === null ? "" : ` since ${utc(suspendedAt)}`;
}

function read({ readAt, items }: Checklist): string {
  const inOrder = items.filter(({ answer }) => answer === "done").map(({ id }) => NAMES[id]);
  const list = inOrder.length === 0 ? "nothing is known to be in order" : `in order: ${inOrder.join(", ")}`;
  return `The check-list was read ${utc(readAt)}; ${list}. It is read again before anything is changed.`;
}

function question({ id, answer, why }: Check, target: AnsweredList): InputBlock {
  const label = `${NAMES[id]}: ${answer === "not-done" ? "not in order" : "cannot tell"}`;
  return oneOf({ block: checkBlock(id, target), label, hint: why, options: choices(id) });
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
