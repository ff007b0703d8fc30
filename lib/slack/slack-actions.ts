import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { messageOf } from "../errors.ts";
import type { CommandParts } from "../operators/accept-command.ts";
import type { NoteUse } from "../operators/note-use.ts";
import { type Budget, budgetFrom } from "./budget.ts";
import { notice } from "./form.ts";
import type { HandledOnce } from "./handled-once.ts";
import { type Press, readInteraction, type Submission } from "./interaction.ts";
import { answerPress } from "./press.ts";
import { tellPrivately } from "./private-word.ts";
import type { Reach } from "./reach.ts";
import { type Readings, type ReadingsParts, readAtOnce } from "./readings.ts";
import { type FormAnswer, tryAgain } from "./refused-form.ts";
import { type Requester, requesterOf } from "./requester.ts";
import { type SlackSignature, verifySlack } from "./signature.ts";
import { answerSubmission } from "./submit.ts";
import { slackApi } from "./web-api.ts";

export interface SlackActionsParts extends CommandParts, ReadingsParts {
  /** The base URL that Slack was told. */
  publicUrl: string;
  /** Undefined for Slack's own. */
  apiUrl: string | undefined;
  /** The workspace that is let in; undefined where it is not configured, and then none is. */
  team: string | undefined;
  once: HandledOnce;
  noteUse: NoteUse;
}

const SLACK_PATH = "/slack/actions";

const MOST_BYTES = 256 * 1024;
/** Of one request to Slack, while somebody waits. */
const TIMEOUT_MS = 1500;

/** Slack's buttons and forms: verify the raw bytes ─ parse ─ who is it ─ act ─ answer, all within three seconds. */
export function slackActions(parts: SlackActionsParts): Hono {
  const app = new Hono();
  const limit = bodyLimit({ maxSize: MOST_BYTES, onError: (c) => c.body(null, 413) });
  for (const path of pathsFor(parts.publicUrl)) {
    app.post(path, limit, (c) => receive(c, parts));
    app.all(path, (c) => c.body(null, 405, { allow: "POST" }));
  }
  app.onError((error, c) => {
    parts.log.error("slack-actions-failed", { reason: messageOf(error) });
    return c.body(null, 503);
  });
  return app;
}

// A gateway or proxy in front may pass the base path of the public URL on, or take it away.
function pathsFor(publicUrl: string): Set<string> {
  return new Set([SLACK_PATH, new URL(publicUrl.replace(/\/+$/, "") + SLACK_PATH).pathname]);
}

async function receive(c: Context, parts: SlackActionsParts): Promise<Response> {
  const budget = budgetFrom(parts.clock);
  const readings = readAtOnce(parts, budget);
  const body = new Uint8Array(await c.req.arrayBuffer());
  const signature = c.req.header("x-slack-signature");
  const signed = { timestamp: c.req.header("x-slack-request-timestamp"), signature };
  const secret = await readings.signingSecret;
  if (secret.kind === "unread") throw new Error(`SLACK_SIGNING_SECRET could not be read: ${secret.reason}`);
  if (!isGenuine(parts, secret.value, body, signed) || signature === undefined) return c.body(null, 403);
  const interaction = readInteraction(new TextDecoder().decode(body));
  if (interaction === undefined) return notUnderstood(c, parts);
  if (interaction.kind === "ignored") return c.body(null, 200);
  return act(c, parts, { interaction, signature, readings, budget });
}

function isGenuine(
  { clock, log }: SlackActionsParts,
  secret: string | undefined,
  body: Uint8Array,
  signed: SlackSignature,
): boolean {
  if (!secret) {
    log.error("slack-not-configured", { fix: "set SLACK_SIGNING_SECRET: docs/slack.md" });
    return false;
  }
  const verification = verifySlack(secret, body, signed, clock.now());
  if (verification.kind === "refused") log.warn("slack-request-refused", { why: verification.why });
  return verification.kind === "genuine";
}

// Genuine, so it is a defect of ours, or something new of Slack's: whoever pressed is told by Slack that it failed.
function notUnderstood(c: Context, { log }: SlackActionsParts): Response {
  log.error("slack-request-not-understood", { fix: "report this as a defect, with what was pressed in Slack" });
  return c.body(null, 400);
}

interface Genuine {
  interaction: Press | Submission;
  signature: string;
  readings: Readings;
  budget: Budget;
}

async function act(c: Context, parts: SlackActionsParts, genuine: Genuine): Promise<Response> {
  const { interaction, signature, readings, budget } = genuine;
  const now = parts.clock.now();
  const [isFirst, requester, reach] = await Promise.all([
    isFirstTime(parts, signature, budget),
    requesterOf({ ...parts, operators: readings.operators }, interaction.user, now),
    reachOf(parts, readings),
  ]);
  if (!isFirst) return answered(c, repeated(interaction, parts));
  // Beside the answer, and waited for only at its end: Lambda stops a function that has answered.
  const noted = requester.kind === "operator" ? parts.noteUse(requester.operator) : undefined;
  const answer = await answerTo(interaction, reach, requester, budget);
  await budget.spend(async () => noted);
  return answered(c, answer);
}

/** What can't be looked up in time counts as the first, as `HandledOnce` has it for all that goes wrong. */
async function isFirstTime({ once, clock }: SlackActionsParts, signature: string, budget: Budget): Promise<boolean> {
  const asked = await budget.spend(() => once(signature, clock.now()));
  return asked.kind === "late" || asked.value;
}

async function answerTo(interaction: Press | Submission, reach: Reach, requester: Requester, budget: Budget) {
  return interaction.kind === "press"
    ? pressAnswer(reach, interaction, requester, budget)
    : formAnswer(reach, interaction, requester, budget);
}

/** A press has no answer of its own: what there is to say goes to whoever pressed, or opens a form. */
async function pressAnswer(reach: Reach, press: Press, requester: Requester, budget: Budget): Promise<FormAnswer> {
  if (requester.kind === "operator") await answerPress(reach, press, requester.operator, budget);
  else await budget.spend(() => tellPrivately(reach, press, requester.words));
  return { kind: "closed" };
}

async function formAnswer(reach: Reach, form: Submission, requester: Requester, budget: Budget): Promise<FormAnswer> {
  if (requester.kind === "operator") return answerSubmission(reach, form, requester.operator, budget);
  return { kind: "replaced", view: notice("Not done", requester.words) };
}

async function reachOf(parts: SlackActionsParts, readings: Readings): Promise<Reach> {
  const { apiUrl } = parts;
  return { ...parts, apiUrl, api: slackApi({ token: await tokenOf(parts, readings), apiUrl, timeoutMs: TIMEOUT_MS }) };
}

/** Empty where there is none: Slack then refuses, and whoever pressed can still be told by way of the response's address. */
async function tokenOf({ log }: SlackActionsParts, { botToken }: Readings): Promise<string> {
  const token = await botToken;
  if (token.kind === "read" && token.value) return token.value;
  if (token.kind === "unread") log.error("slack-token-unreadable", { reason: token.reason });
  else log.error("slack-not-configured", { fix: "set SLACK_BOT_TOKEN: docs/slack.md" });
  return "";
}

/** Somebody sends again what Slack has sent: it was dealt with, but whoever waits may not have got the answer. */
function repeated({ kind }: Press | Submission, { log }: SlackActionsParts): FormAnswer {
  log.warn("slack-request-repeated");
  return kind === "press" ? { kind: "closed" } : tryAgain(REPEATED);
}

const REPEATED =
  "This very request came before, and is not dealt with twice. If the thread of the incident says nothing of it, send " +
  "the form again: it is the same request.";

function answered(c: Context, answer: FormAnswer): Response {
  switch (answer.kind) {
    case "closed":
      return c.body(null, 200);
    case "errors":
      return c.json({ response_action: "errors", errors: answer.errors });
    case "replaced":
      return c.json({ response_action: "update", view: answer.view });
  }
}
