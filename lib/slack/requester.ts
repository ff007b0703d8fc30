import type { Log } from "../log.ts";
import { isExpired, mayAct, type Operator } from "../operators/operators.ts";
import type { SlackUser } from "./interaction.ts";
import type { Readings } from "./readings.ts";

/** Whose wish it is, or why it is nobody's. */
export type Requester = { kind: "operator"; operator: Operator } | Stranger;

interface Stranger {
  kind: "stranger";
  why: "no-workspace" | "other-workspace" | "unknown-user" | "expired" | "role-too-low" | "operators-unreadable";
  /** For this user alone, in Slack's mrkdwn. */
  words: string;
}

export interface RequesterParts {
  operators: Readings["operators"];
  /** The workspace that is let in; undefined where it is not configured, and then none is. */
  team: string | undefined;
  log: Log;
}

/** Which operator the Slack user is, and whether they may act. Refusals are logged. */
export async function requesterOf(parts: RequesterParts, user: SlackUser, now: Date): Promise<Requester> {
  const requester = await identify(parts, user, now);
  if (requester.kind === "stranger") {
    parts.log.warn("operator-refused", { road: "slack", reason: requester.why, user: user.id, team: user.team });
  }
  return requester;
}

async function identify({ operators, team, log }: RequesterParts, user: SlackUser, now: Date): Promise<Requester> {
  if (team === undefined) return ofNoWorkspace(log);
  // Slack promises that a user's ID is unique within its workspace only. And nobody else is told who may act.
  if (user.team !== team) return stranger("other-workspace", OTHER_WORKSPACE);
  const read = await operators;
  if (read.kind === "unread") return ofNoKnownOperators(read.reason, log);
  const all = read.value;
  const operator = all.find(({ slack }) => slack === user.id);
  const others = whoElse(all, now);
  if (operator === undefined) return stranger("unknown-user", `${unknownUser(user)} ${others}`);
  if (isExpired(operator, now)) return stranger("expired", `${expired(operator)} ${others}`);
  if (!mayAct(operator)) return stranger("role-too-low", `${roleTooLow(operator)} ${others}`);
  return { kind: "operator", operator };
}

function ofNoWorkspace(log: Log): Stranger {
  log.error("slack-not-configured", { fix: "set SLACK_TEAM_ID: docs/slack.md" });
  return stranger("no-workspace", NO_WORKSPACE);
}

function ofNoKnownOperators(reason: string, log: Log): Stranger {
  log.error("operators-unreadable", { reason });
  return stranger("operators-unreadable", UNREADABLE);
}

function stranger(why: Stranger["why"], words: string): Stranger {
  return { kind: "stranger", why, words };
}

const NOTHING = "Nothing was done.";
const OTHER_WORKSPACE = `${NOTHING} This Tollbreaker takes orders from its own workspace only: ask a colleague there.`;
const NO_WORKSPACE = `${NOTHING} Tollbreaker was not told which workspace is its own: whoever runs it has to set SLACK_TEAM_ID.`;
const UNREADABLE = `${NOTHING} Tollbreaker cannot read its list of operators now: try again in a moment, or use the command line.`;
const ASK = "whoever runs Tollbreaker";

function unknownUser({ id }: SlackUser): string {
  return `${NOTHING} You (${id}) are none of Tollbreaker's operators: ${ASK} adds you with \`operators add NAME --role operator --slack ${id}\`.`;
}

function expired({ expires }: Operator): string {
  return `${NOTHING} Your access ended at ${expires?.toISOString() ?? "an unknown time"}: ${ASK} can renew it.`;
}

function roleTooLow({ role }: Operator): string {
  return `${NOTHING} Your role is ${role}, which may read and change nothing: ${ASK} can give you the role operator.`;
}

const MOST_NAMED = 5;

/** At 3 a.m., whom to wake. */
function whoElse(all: readonly Operator[], now: Date): string {
  const able = all.filter((operator) => mayAct(operator) && !isExpired(operator, now));
  const named = able.flatMap(({ slack }) => (slack === null ? [] : [`<@${slack}>`]));
  if (named.length === 0) return "No operator has a Slack user.";
  return `Ask one of these now: ${named.slice(0, MOST_NAMED).join(", ")}.`;
}
