import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { messageOf } from "../errors.ts";
import type { CommandParts } from "../operators/accept-command.ts";
import type { Operators } from "../operators/operators.ts";
import type { Secret } from "../secrets.ts";
import { type Budget, budgetFrom } from "./budget.ts";
import { notice } from "./form.ts";
import type { HandledOnce } from "./handled-once.ts";
import { type Press, readInteraction, type Submission } from "./interaction.ts";
import { answerPress } from "./press.ts";
import { tellPrivately } from "./private-word.ts";
import type { Reach } from "./reach.ts";
import type { FormAnswer } from "./refused-form.ts";
import { type Requester, requesterOf } from "./requester.ts";
import { type SlackSignature, verifySlack } from "./signature.ts";
import { answerSubmission } from "./submit.ts";
import { slackApi } from "./web-api.ts";

export interface SlackActionsParts extends CommandParts {
  /** The base URL that Slack was told. */
  publicUrl: string;
  signingSecret: Secret;
  botToken: Secret;
  /** Undefined for Slack's own. */
  apiUrl: string | undefined;
  /** The workspace that is let in; undefined for any. */
  team: string | undefined;
  operators: Operators;
  once: HandledOnce;
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
  const body = new Uint8Array(await c.req.arrayBuffer());
  const signature = c.req.header("x-slack-signature");
  const signed = { timestamp: c.req.header("x-slack-request-timestamp"), signature };
  const secret = await budget.spend(parts.signingSecret());
  if (secret.kind === "late") throw new Error("SLACK_SIGNING_SECRET could not be read in time");
  if (!isGenuine(parts, secret.value, body, signed) || signature === undefined) return c.body(null, 403);
  const interaction = readInteraction(new TextDecoder().decode(body));
  if (interaction === undefined) return notUnderstood(c, parts);
  if (interaction.kind === "ignored") return c.body(null, 200);
  return act(c, parts, { interaction, signature, budget });
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
  budget: Budget;
}

async function act(c: Context, parts: SlackActionsParts, { interaction, signature, budget }: Genuine) {
  const now = parts.clock.now();
  const [isFirst, requester, reach] = await Promise.all([
    parts.once(signature, now),
    requesterOf(parts, interaction.user, now),
    reachOf(parts, budget),
  ]);
  if (!isFirst) return repeated(c, parts);
  const answer =
    interaction.kind === "press"
      ? await answerTo(reach, interaction, requester, budget)
      : await formAnswerTo(reach, interaction, requester, budget);
  return answered(c, answer);
}

/** A press has no answer of its own: what there is to say goes to whoever pressed, or opens a form. */
async function answerTo(reach: Reach, press: Press, requester: Requester, budget: Budget): Promise<FormAnswer> {
  if (requester.kind === "operator") await answerPress(reach, press, requester.operator, budget);
  else await budget.spend(tellPrivately(reach, press, requester.words));
  return { kind: "closed" };
}

async function formAnswerTo(reach: Reach, form: Submission, requester: Requester, budget: Budget): Promise<FormAnswer> {
  if (requester.kind === "operator") return answerSubmission(reach, form, requester.operator, budget);
  return { kind: "replaced", view: notice("Not done", requester.words) };
}

async function reachOf(parts: SlackActionsParts, budget: Budget): Promise<Reach> {
  const { apiUrl } = parts;
  return { ...parts, apiUrl, api: slackApi({ token: await tokenOf(parts, budget), apiUrl, timeoutMs: TIMEOUT_MS }) };
}

/** Empty where there is none: Slack then refuses, and whoever pressed can still be told by way of the response's address. */
async function tokenOf({ botToken, log }: SlackActionsParts, budget: Budget): Promise<string> {
  try {
    const token = await budget.spend(botToken());
    if (token.kind === "in-time" && token.value) return token.value;
    log.error("slack-not-configured", { fix: "set SLACK_BOT_TOKEN: docs/slack.md" });
  } catch (error) {
    log.error("slack-token-unreadable", { reason: messageOf(error) });
  }
  return "";
}

/** Somebody sends again what Slack has sent: it was dealt with. */
function repeated(c: Context, { log }: SlackActionsParts): Response {
  log.warn("slack-request-repeated");
  return c.body(null, 200);
}

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
