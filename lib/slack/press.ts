import type { ModalView } from "@slack/types";
import { escaped } from "../alerts/slack-text.ts";
import { cut } from "../cut.ts";
import { messageOf } from "../errors.ts";
import type { Problem } from "../http/problem.ts";
import type { Incident } from "../incidents/incident.ts";
import { INCIDENT_ID } from "../incidents/incident-reader.ts";
import { isOver } from "../incidents/transitions.ts";
import { acceptCommand } from "../operators/accept-command.ts";
import { dismissalConflict } from "../operators/commands/judge-incident-command.ts";
import { reactivationConflict } from "../operators/commands/judge-reactivation.ts";
import { accountRefusal } from "../operators/commands/judge-suspension.ts";
import { stateConflict } from "../operators/commands/state-conflict.ts";
import { noSuchIncident } from "../operators/no-such-incident.ts";
import type { Operator } from "../operators/operators.ts";
import { RECORD_SILENT } from "../operators/unavailable.ts";
import type { Budget } from "./budget.ts";
import { dismissalForm } from "./dismissal-form.ts";
import type { Press } from "./interaction.ts";
import { postMessage } from "./post-message.ts";
import { tellPrivately } from "./private-word.ts";
import { problemWords } from "./problem-words.ts";
import type { Reach } from "./reach.ts";
import { reactivationForm } from "./reactivation-form.ts";
import { suspensionForm } from "./suspension-form.ts";

/** What a press leads to. */
type Response =
  | { kind: "form"; view: ModalView }
  /** For the one who pressed. */
  | { kind: "words"; words: string }
  /** For everybody, in the thread. */
  | { kind: "said"; words: string; operator: string };

/** For the private word that follows, whatever went wrong before. */
const RESERVE_MS = 500;

/** A button was pressed by an operator: read the incident ─ see whether it can be ─ open the form. */
export async function answerPress(reach: Reach, press: Press, operator: Operator, budget: Budget): Promise<void> {
  const response = await respond(reach, press, operator, budget);
  const words = await carryOut(reach, press, response, budget);
  if (words !== undefined) await budget.spend(() => tellPrivately(reach, press, escaped(words, 2500)));
}

async function respond(reach: Reach, press: Press, operator: Operator, budget: Budget): Promise<Response> {
  const found = await find(reach, press.incidentId, budget);
  if (found.kind === "refused") return refusal(found.problem, press);
  const { incident } = found;
  const problem = conflictOf(press, incident, reach);
  return problem === undefined ? allowed(reach, press, { operator, incident, budget }) : refusal(problem, press);
}

type FoundIncident = { kind: "found"; incident: Incident } | { kind: "refused"; problem: Problem };

async function find({ incidents, log }: Reach, id: string, budget: Budget): Promise<FoundIncident> {
  if (!INCIDENT_ID.test(id)) return { kind: "refused", problem: noSuchIncident(id) };
  try {
    const read = await budget.spend(() => incidents.get(id), RESERVE_MS);
    if (read.kind === "late") throw new Error("no answer in time");
    if (read.value === undefined) return { kind: "refused", problem: noSuchIncident(id) };
    return { kind: "found", incident: read.value.incident };
  } catch (error) {
    log.error("record-unreadable", { incident: id, message: messageOf(error) });
    return { kind: "refused", problem: RECORD_SILENT };
  }
}

/** What is against it in the incident's present state: a form that would be refused is not opened. */
function conflictOf({ button }: Press, incident: Incident, reach: Reach): Problem | undefined {
  switch (button) {
    case "reactivate":
      return reactivationConflict(incident)?.problem;
    case "keep-suspended":
      return incident.state === "suspended" ? undefined : stateConflict(incident, { expected: "suspended" });
    case "suspend":
      return conflictWithSuspension(incident, reach);
    case "dismiss":
      return dismissalConflict(incident)?.problem;
  }
}

function conflictWithSuspension(incident: Incident, { parentSid }: Reach): Problem | undefined {
  // The account could be suspended all the same. But the button is about this incident, and nobody may know that it is over.
  if (isOver(incident.state)) return stateConflict(incident, { expected: "an incident that is not over" });
  return accountRefusal(incident.accountSid, parentSid)?.problem;
}

interface Allowed {
  operator: Operator;
  incident: Incident;
  budget: Budget;
}

async function allowed(reach: Reach, press: Press, { operator, incident, budget }: Allowed): Promise<Response> {
  const { id: incidentId, accountSid, checklist } = incident;
  const target = { incidentId, accountSid, message: press.message };
  switch (press.button) {
    case "reactivate":
      if (checklist === null) return readFirst(reach, press, operator, budget);
      return { kind: "form", view: reactivationForm(incident, checklist, target) };
    case "suspend":
      return { kind: "form", view: suspensionForm(incident, reach.policy, target, reach.clock.now()) };
    case "dismiss":
      return { kind: "form", view: dismissalForm(incident, target) };
    case "keep-suspended":
      return { kind: "said", words: `${operator.name} keeps it suspended.`, operator: operator.name };
  }
}

/** Nothing can be answered yet: the check-list is asked for. */
async function readFirst(reach: Reach, press: Press, operator: Operator, budget: Budget): Promise<Response> {
  const wish = { kind: "check", incidentId: press.incidentId, requestId: cut(press.triggerId, 64) } as const;
  const asked = { operator, road: "slack", wish } as const;
  const outcome = await budget.spend((signal) => acceptCommand(reach, asked, signal), RESERVE_MS);
  if (outcome.kind === "late") return { kind: "words", words: NOT_READ };
  if (outcome.value.kind === "refused") return refusal(outcome.value.problem, press);
  return { kind: "words", words: BEING_READ };
}

const BEING_READ = "The check-list was not read yet. It is being read now: press Reactivate again in a few seconds.";
const NOT_READ = "The check-list was not read yet, and could not be asked for in time: press Reactivate again.";

function refusal(problem: Problem, { incidentId }: Press): Response {
  return { kind: "words", words: problemWords(problem, incidentId) };
}

/** @returns what is left to say to the one who pressed. */
async function carryOut(reach: Reach, press: Press, response: Response, budget: Budget): Promise<string | undefined> {
  switch (response.kind) {
    case "words":
      return response.words;
    case "form":
      return open(reach, press, response.view, budget);
    case "said":
      return say(reach, press, response, budget);
  }
}

async function open({ api, log }: Reach, press: Press, view: ModalView, budget: Budget): Promise<string | undefined> {
  const opened = await budget.spend(() => api.openView(press.triggerId, view), RESERVE_MS);
  if (opened.kind === "in-time" && opened.value.kind === "ok") return undefined;
  const reason = opened.kind === "late" ? "no answer in time" : JSON.stringify(opened.value);
  log.warn("slack-form-not-opened", { incident: press.incidentId, reason });
  return "The form could not be opened in time, and nothing was done: press the button again.";
}

type Said = Extract<Response, { kind: "said" }>;

async function say({ api, log }: Reach, press: Press, { words, operator }: Said, budget: Budget) {
  if (press.message === null) return words;
  const { channel, ts } = press.message;
  const text = escaped(words, 2500);
  const said = await budget.spend(() => postMessage(api, { channel, threadTs: ts, text, blocks: [] }), RESERVE_MS);
  const isSaid = said.kind === "in-time" && said.value.kind === "posted";
  const { incidentId: incident, button } = press;
  log.info("slack-said", { incident, operator, road: "slack", button, said: isSaid });
  return isSaid ? undefined : "Slack did not take the note for the thread.";
}
