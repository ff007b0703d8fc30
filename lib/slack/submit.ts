import { escaped } from "../alerts/slack-text.ts";
import type { Problem } from "../http/problem.ts";
import { acceptCommand } from "../operators/accept-command.ts";
import type { Operator } from "../operators/operators.ts";
import type { Budget } from "./budget.ts";
import type { Submission } from "./interaction.ts";
import { postMessage } from "./post-message.ts";
import type { Reach } from "./reach.ts";
import { reactivationForm } from "./reactivation-form.ts";
import { type FormAnswer, refusedForm, tryAgain } from "./refused-form.ts";
import { wishIn } from "./submitted-wish.ts";

/** Left for the note in the thread. */
const RESERVE_MS = 300;

/** A form was sent by an operator: hand over what it asks for ─ tell the others ─ close it. */
export async function answerSubmission(
  reach: Reach,
  submission: Submission,
  operator: Operator,
  budget: Budget,
): Promise<FormAnswer> {
  const { target, values } = submission;
  const wish = wishIn(submission);
  const asked = { operator, road: "slack", wish } as const;
  const outcome = await budget.spend((signal) => acceptCommand(reach, asked, signal), RESERVE_MS);
  if (outcome.kind === "late") return tryAgain(LATE);
  if (outcome.value.kind === "refused") {
    const { problem } = outcome.value;
    return (await askedAgain(reach, submission, problem, budget)) ?? refusedForm(problem, target, values);
  }
  await budget.spend(() => tellOthers(reach, submission, operator));
  return { kind: "closed" };
}

/** The form with the check-list as it is now, where another one was answered. Undefined where it can't be had in time. */
async function askedAgain(
  { incidents }: Reach,
  { target }: Submission,
  { checklist }: Problem,
  budget: Budget,
): Promise<FormAnswer | undefined> {
  if (checklist === undefined) return undefined;
  const read = await budget.spend(() => incidents.get(target.incidentId).catch(() => undefined));
  const incident = read.kind === "in-time" ? read.value?.incident : undefined;
  if (incident === undefined || incident.checklist === null) return undefined;
  return {
    kind: "replaced",
    view: reactivationForm(incident, incident.checklist, { ...target, isAskedAgain: true }),
  };
}

const LATE =
  "Tollbreaker did not answer in time, so it is not known whether it has this. Send it again unchanged: then it is the same request.";

/** Until the outcome comes, nobody in the channel would know that somebody is at it. */
async function tellOthers({ api, log }: Reach, { form, target }: Submission, { name }: Operator): Promise<void> {
  if (target.message === null) return;
  const { channel, ts } = target.message;
  const text = escaped(`${name} ${ASKED[form]}. The outcome follows here.`, 2500);
  const said = await postMessage(api, { channel, threadTs: ts, text, blocks: [] });
  if (said.kind !== "posted") log.warn("slack-note-not-posted", { incident: target.incidentId, reason: said.kind });
}

const ASKED = {
  reactivate: "asked for the reactivation",
  suspend: "asked to suspend the account",
  dismiss: "asked to dismiss the incident",
} as const;
