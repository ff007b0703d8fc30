import { type Clock, systemClock } from "../../lib/clock.ts";
import { EXIT, Failure } from "../failure.ts";
import type { IncidentStory } from "../incident-view.ts";
import type { Server } from "../server.ts";
import type { Terminal } from "../terminal.ts";
import { lag } from "../wording.ts";
import { type Asked, type Ending, endingOf, isOwn } from "./ending.ts";
import { findTelling, readIncident } from "./read-incident.ts";

/** One command, under way in one incident. */
export interface UnderWay {
  command: string;
  incidentId: string;
  asked: Asked;
  /** Where the incident may be another one of this account: one that the command's first sending opened. */
  accountSid?: string;
}

export interface Pace {
  /** Between two readings, in milliseconds. */
  every: number;
  /** After so long without a new line of its history nobody waits any longer, in milliseconds. */
  atMost: number;
}

/** Twice as long as the slowest reactivation that still ends well; what lasts longer needs another look anyway. */
export const PACE: Pace = { every: 500, atMost: 3 * 60_000 };

type Watch = (incident: IncidentStory) => void;

/**
 * Reads the incident again and again until the command is over, and shows each reading to `watch`. A server that does
 * not answer for a while is waited for. Ctrl-C ends the reading; the command goes on.
 * @throws Failure when the server refuses to be read.
 */
export async function follow(
  server: Server,
  underWay: UnderWay,
  terminal: Terminal,
  watch: Watch,
  pace: Pace = PACE,
  clock: Clock = systemClock,
): Promise<Ending> {
  const interrupt = new AbortController();
  const release = terminal.onInterrupt(() => interrupt.abort());
  try {
    return await readUntilOver(server, underWay, { terminal, watch, pace, clock, signal: interrupt.signal });
  } catch (thrown) {
    if (interrupt.signal.aborted) return { kind: "unknown", because: "interrupt" };
    throw thrown;
  } finally {
    release();
    terminal.status("");
  }
}

interface Following {
  terminal: Terminal;
  watch: Watch;
  pace: Pace;
  clock: Clock;
  signal: AbortSignal;
}

async function readUntilOver(server: Server, underWay: UnderWay, following: Following): Promise<Ending> {
  const { terminal, watch, pace, clock, signal } = following;
  const started = clock.now().getTime();
  let passed = 0;
  let lines = 0;
  let newestLineAt = 0;
  while (passed - newestLineAt < pace.atMost) {
    const incident = await readPatiently(server, underWay, signal);
    if (incident !== undefined) watch(incident);
    const count = incident?.timeline.filter((entry) => isOwn(entry, underWay.command)).length ?? 0;
    if (count > lines) newestLineAt = passed;
    lines = Math.max(lines, count);
    const ending = incident && endingOf(incident, underWay.command, underWay.asked);
    if (ending !== undefined) return whole(server, underWay, ending, following);
    terminal.status(waiting(passed, incident === undefined));
    await clock.sleep(pace.every, signal);
    signal.throwIfAborted();
    passed = clock.now().getTime() - started;
  }
  return { kind: "unknown", because: "time-out" };
}

const MOST_LOOKS = 3;

/** The responder writes a line of the history first, and the incident right after it: what the line tells of is there then. */
async function whole(server: Server, underWay: UnderWay, ending: Ending, following: Following): Promise<Ending> {
  const { pace, clock, signal } = following;
  let last = ending;
  for (let looks = 0; looks < MOST_LOOKS && "incident" in last && !isWhole(last.incident, underWay); looks++) {
    await clock.sleep(Math.min(pace.every, 100), signal);
    const incident = await readPatiently(server, { ...underWay, incidentId: last.incident.id }, signal);
    last = (incident && endingOf(incident, underWay.command, underWay.asked)) ?? last;
  }
  return last;
}

function isWhole({ updatedAt, timeline }: IncidentStory, { command }: UnderWay): boolean {
  const line = timeline.findLast((entry) => isOwn(entry, command));
  return updatedAt === undefined || line === undefined || updatedAt >= line.at;
}

/** Undefined while there is nothing to read: the responder has not opened it yet, or the server has a bad moment. */
async function readPatiently(
  server: Server,
  underWay: UnderWay,
  signal: AbortSignal,
): Promise<IncidentStory | undefined> {
  try {
    return await readStory(server, underWay, signal);
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof Failure) || !PASSING.has(thrown.exit)) throw thrown;
    return undefined;
  }
}

async function readStory(server: Server, underWay: UnderWay, signal: AbortSignal): Promise<IncidentStory | undefined> {
  try {
    return await readIncident(server, underWay.incidentId, signal);
  } catch (thrown) {
    const { accountSid } = underWay;
    const isMissing = thrown instanceof Failure && thrown.exit === EXIT.notFound;
    if (!isMissing || accountSid === undefined) throw thrown;
    return findTelling(server, underWay.command, accountSid, signal);
  }
}

const PASSING: ReadonlySet<number> = new Set([EXIT.unreachable, EXIT.failed, EXIT.notFound]);

function waiting(passed: number, isSilent: boolean): string {
  const what = isSilent ? "nothing to read yet" : "waiting";
  return `  ${lag(Math.floor(passed / 1000) * 1000)}  ${what} (Ctrl-C stops watching, not the command)`;
}
