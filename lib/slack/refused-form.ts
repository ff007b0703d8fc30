import type { ModalView } from "@slack/types";
import { LIMITS } from "../alerts/slack-message.ts";
import { escaped } from "../alerts/slack-text.ts";
import type { Mistake, Problem } from "../http/problem.ts";
import { notice, REASON_BLOCK } from "./form.ts";
import type { FormTarget } from "./form-target.ts";
import type { FormValues } from "./interaction.ts";
import { problemWords } from "./problem-words.ts";
import { COUNTRIES_BLOCK, checkBlock } from "./reactivation-form.ts";
import { OBJECTIONS_BLOCK } from "./suspension-form.ts";

/** What a sent form becomes: https://docs.slack.dev/surfaces/modals#displaying_errors */
export type FormAnswer =
  | { kind: "closed" }
  /** By the block under which each is shown; what was written stays. */
  | { kind: "errors"; errors: Readonly<Record<string, string>> }
  | { kind: "replaced"; view: ModalView };

/** The form with the words beside what they are about, or the words alone where they are about none of it. */
export function refusedForm(problem: Problem, target: FormTarget, values: FormValues): FormAnswer {
  const { incidentId } = target;
  // Nothing is wrong with the form: it can be sent once more.
  if (problem.status >= 500) return tryAgain(problemWords(problem, incidentId));
  const errors = (problem.errors ?? [problem]).map((mistake) => errorsOf(mistake, problem, target));
  const all = Object.assign({}, ...errors);
  const isShown =
    errors.every((some) => Object.keys(some).length > 0) && Object.keys(all).every((id) => values.has(id));
  if (isShown) return { kind: "errors", errors: all };
  return { kind: "replaced", view: notice("Not done", escaped(problemWords(problem, incidentId), LIMITS.section)) };
}

export function tryAgain(words: string): FormAnswer {
  return { kind: "errors", errors: { [REASON_BLOCK]: words } };
}

/** By block; empty where the mistake belongs to none. */
function errorsOf(
  { code, detail, expected }: Mistake,
  { missing = [] }: Problem,
  target: FormTarget,
): Record<string, string> {
  const words = expected === undefined ? detail : `${detail} Expected: ${expected}.`;
  switch (code) {
    case "reason-too-short":
    case "reason-too-long":
      return { [REASON_BLOCK]: words };
    case "countries-invalid":
      return { [COUNTRIES_BLOCK]: words };
    case "acknowledgement-missing":
      return { [OBJECTIONS_BLOCK]: detail };
    case "checklist-incomplete":
      return Object.fromEntries(missing.map(({ id, why }) => [checkBlock(id, target), `It needs an answer: ${why}`]));
    default:
      return {};
  }
}
