import type { Clock } from "../clock.ts";
import { cut } from "../cut.ts";
import { messageOf } from "../errors.ts";
import type { Problem } from "../http/problem.ts";
import type { Road } from "../inbox/commands.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { BrakeReader } from "../incidents/brake-reader.ts";
import type { IncidentReader } from "../incidents/incident-reader.ts";
import type { Log } from "../log.ts";
import type { Policy } from "../policy/policy.ts";
import { commandIdFor } from "./commands/command-id.ts";
import { judgeAdoption } from "./commands/judge-adoption.ts";
import { judgeBatch } from "./commands/judge-batch.ts";
import { judgeIncidentCommand } from "./commands/judge-incident-command.ts";
import { judgeRaise, judgeRaiseEnd } from "./commands/judge-raise.ts";
import { judgeRelease } from "./commands/judge-release.ts";
import { judgeSuspension } from "./commands/judge-suspension.ts";
import { tidyReason } from "./commands/reason.ts";
import { type Batch, type Refused, refused, type Verdict } from "./commands/verdict.ts";
import type { Wished } from "./commands/wished.ts";
import { mayAct, type Operator } from "./operators.ts";
import { INBOX_SILENT, RECORD_SILENT } from "./unavailable.ts";

/** What the way in needs. None of it can change an account or an incident. */
export interface CommandParts {
  incidents: IncidentReader;
  brake: BrakeReader;
  inbox: Inbox;
  policy: Policy;
  parentSid: string;
  clock: Clock;
  log: Log;
}

/** Who asks, how it reached us, and what for. */
export interface Asked {
  operator: Operator;
  road: Road;
  wish: Wished;
}

/** It is in the inbox, or was carried out before. The incident's history tells how it goes. */
export interface Accepted {
  kind: "accepted";
  /** The command's id: each line of the history that it causes carries it. */
  command: string;
  /** Null for the brake, which is no incident. */
  incidentId: string | null;
  /** Of a request for several: what becomes of each. */
  batch?: Batch;
}

/**
 * The one way in for what a person wants, whichever road it came by: may they ─ can it be ─ hand it over ─ write it to
 * the log. What was accepted is checked again by the responder, on fresh readings. Never rejects.
 * @param signal aborted as soon as nobody waits for the outcome any more: from then on nothing is handed over. Whoever
 * was told that it came too late does not expect it to be carried out, perhaps hours later, when Lambda thaws us.
 */
export async function acceptCommand(
  parts: CommandParts,
  asked: Asked,
  signal?: AbortSignal,
): Promise<Accepted | Refused> {
  const id = commandIdFor(asked.operator, asked.wish);
  const outcome = roleRefusal(asked.operator) ?? (await judgeAndHandOver(parts, asked, id, signal));
  note(parts.log, asked, outcome);
  return outcome;
}

/** 403 for whoever may only read; undefined for whoever may act. */
export function roleRefusal(operator: Operator): Refused | undefined {
  return mayAct(operator) ? undefined : refused({ ...ROLE_TOO_LOW, got: operator.role });
}

const ROLE_TOO_LOW: Problem = {
  status: 403,
  code: "role-too-low",
  title: "Not allowed",
  detail: "You may read, and change nothing.",
  expected: "the role operator",
  fix: "ask an operator to do it, or whoever runs Tollbreaker to give you the role",
};

async function judgeAndHandOver(
  parts: CommandParts,
  asked: Asked,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Accepted | Refused> {
  const verdict = await judge(parts, asked, id);
  switch (verdict.kind) {
    case "refused":
      return verdict;
    case "repeated":
      return { kind: "accepted", command: id, ...storyOf(verdict) };
    case "ready":
      return handOver(parts, verdict, signal);
  }
}

async function judge(parts: CommandParts, { operator, road, wish }: Asked, id: string): Promise<Verdict> {
  const receivedAt = parts.clock.now().toISOString();
  const reason = wish.kind === "check" ? "" : tidyReason(wish.reason);
  const envelope = { id, receivedAt, operator: operator.name, road, reason };
  try {
    switch (wish.kind) {
      case "suspend":
        return await judgeSuspension(parts, wish, envelope);
      case "adopt":
        return await judgeAdoption(parts, wish, envelope);
      case "release-brake":
        return await judgeRelease(parts, wish, envelope);
      case "raise-limit":
        return judgeRaise(parts, wish, envelope);
      case "end-raise":
        return judgeRaiseEnd(parts, wish, envelope);
      case "batch":
        return await judgeBatch(parts, wish, envelope);
      default:
        return await judgeIncidentCommand(parts.incidents, wish, envelope);
    }
  } catch (error) {
    parts.log.error("record-unreadable", { kind: wish.kind, message: messageOf(error) });
    return refused(RECORD_SILENT);
  }
}

type Ready = Extract<Verdict, { kind: "ready" }>;

function storyOf({ incidentId, batch }: Exclude<Verdict, Refused>): Pick<Accepted, "incidentId" | "batch"> {
  return { incidentId, ...(batch !== undefined && { batch }) };
}

async function handOver({ inbox, log }: CommandParts, ready: Ready, signal: AbortSignal | undefined) {
  const { command } = ready;
  if (signal?.aborted) {
    log.warn("command-too-late", { kind: command.kind, command: command.id });
    return refused(RECORD_SILENT);
  }
  try {
    await inbox.put(command, { signal });
    return { kind: "accepted" as const, command: command.id, ...storyOf(ready) };
  } catch (error) {
    log.error("command-not-stored", { kind: command.kind, command: command.id, message: messageOf(error) });
    return refused(INBOX_SILENT);
  }
}

/** Who wanted what, and what came of it. The reason stands in the incident alone. */
function note(log: Log, { operator, road, wish }: Asked, outcome: Accepted | Refused): void {
  const what = { operator: operator.name, road, kind: wish.kind, ...targetOf(wish) };
  if (outcome.kind === "accepted") {
    log.info("command-accepted", { ...what, incident: outcome.incidentId, command: outcome.command });
    return;
  }
  const { code, status } = outcome.problem;
  log.warn(status === 403 ? "operator-refused" : "command-refused", { ...what, code });
}

// Anybody with a token could have written it: what has no end is cut.
const MOST_LOGGED = 64;

function targetOf(wish: Wished): { incident?: string; account?: string } {
  switch (wish.kind) {
    case "release-brake":
    case "batch":
      return {};
    case "suspend":
    case "raise-limit":
    case "end-raise":
    case "adopt":
      return { account: cut(wish.accountSid, MOST_LOGGED) };
    default:
      return { incident: cut(wish.incidentId, MOST_LOGGED) };
  }
}
