import pLimit from "p-limit";
import { retrying, type Until, waitToRetry } from "../twilio/backoff.ts";
import {
  endCall,
  fetchCall,
  isLive,
  isOver,
  LIVE_STATUSES,
  type LiveCall,
  type LiveCalls,
  type LiveStatus,
  listLiveCalls,
} from "../twilio/calls.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { describeFailure, type TwilioFailure } from "../twilio/failures.ts";
import { extended, LAST_LOOK_MS, limitedTo } from "./time-limit.ts";

export interface EndedCalls {
  ended: number;
  /** Still live when last looked at; null when that could not be read. */
  left: number | null;
  /** In words for a person. */
  why: string;
}

const REQUEST_TIMEOUT_MS = 5000;
/** Twilio answers 429 beyond an undocumented number of parallel requests; hundreds of calls still end in seconds. */
const PARALLEL_REQUESTS = 10;
/** https://www.twilio.com/docs/api/errors/21220: the call is in no state in which it could be updated so. */
const NOT_IN_PROGRESS = 21220;
/** Of one call in one round: it may be answered while it is canceled. */
const MOST_REQUESTS = 3;
/** After so many rounds in which Twilio ended no call, people are told, and the next delivery goes on. */
const MOST_IDLE_ROUNDS = 3;

/**
 * Ends all live calls of a suspended account, because "in-progress calls will not end when a subaccount is suspended"
 * (https://www.twilio.com/docs/iam/api/subaccounts#suspend-a-subaccount). Goes on until a list of live calls comes back
 * empty or the time is over: a call that was ringing when it was listed may be in progress by now.
 *
 * Lists may lag: of a call that Twilio said is over and that is listed all the same, the call itself is read, and that
 * counts. A call that is gone is not left.
 */
export async function endLiveCalls(twilio: TwilioClient, accountSid: string, until: Until): Promise<EndedCalls> {
  const inTime = limitedTo(twilio, until);
  const seen: Seen = { ended: new Set(), over: new Set() };
  let refusal: string | undefined;

  for (let round = 0, idle = 0; ; round++) {
    const timeoutMs = REQUEST_TIMEOUT_MS * 2 ** round;
    const { calls: listed, incomplete } = await listLive(inTime, accountSid, { clock: until.clock, timeoutMs });
    const live = await stillLive(inTime, accountSid, { listed, seen, until });
    if (live.length === 0 && incomplete === null) return noneLeft(seen);

    const outcomes = await endAll(inTime, accountSid, live, until);
    for (const outcome of outcomes) {
      if (outcome.kind === "not-ended") refusal = outcome.why;
      else seen.over.add(outcome.sid);
      if (outcome.kind === "ended") seen.ended.add(outcome.sid);
    }
    // What was not listed may be in the next round.
    idle = incomplete !== null || outcomes.some(({ kind }) => kind !== "not-ended") ? 0 : idle + 1;
    if (idle === MOST_IDLE_ROUNDS || !(await waitToRetry(until, round))) {
      return lastLook(twilio, accountSid, { seen, refusal, until });
    }
  }
}

/**
 * Ends those live calls of an account that began by `began` (milliseconds since the epoch); what began later is its
 * customer's. One look: the list of an account that is active need never be empty.
 */
export async function endCallsBegunBy(
  twilio: TwilioClient,
  accountSid: string,
  began: number,
  until: Until,
): Promise<{ ended: number; why?: string }> {
  const { calls, incomplete } = await listLive(twilio, accountSid, {
    clock: until.clock,
    timeoutMs: REQUEST_TIMEOUT_MS,
  });
  if (incomplete !== null) return { ended: 0, why: `not listed: ${describeFailure(incomplete)}` };
  const early = calls.filter(({ createdAt }) => createdAt === null || createdAt <= began);
  const outcomes = await endAll(twilio, accountSid, early, until);
  const left = outcomes.find((outcome) => outcome.kind === "not-ended");
  const ended = outcomes.filter(({ kind }) => kind === "ended").length;
  return left === undefined ? { ended } : { ended, why: left.why };
}

interface Seen {
  /** Those that a request of ours ended, as Twilio confirmed. */
  ended: Set<string>;
  /** With them all that Twilio said is over, or gone. */
  over: Set<string>;
}

/** How many are left is Twilio's word, not our count of requests. */
async function lastLook(
  twilio: TwilioClient,
  accountSid: string,
  { seen, refusal, until }: { seen: Seen; refusal: string | undefined; until: Until },
): Promise<EndedCalls> {
  const afterwards = extended({ clock: until.clock, deadline: until.clock.now().getTime() }, LAST_LOOK_MS);
  const client = limitedTo(twilio, afterwards);
  const list = await listLive(client, accountSid, { clock: until.clock, timeoutMs: REQUEST_TIMEOUT_MS });
  const live = await stillLive(client, accountSid, { listed: list.calls, seen, until: afterwards });
  if (list.incomplete !== null) return notListed(seen, list.incomplete);
  if (live.length === 0) return noneLeft(seen);
  return { ended: seen.ended.size, left: live.length, why: refusal ?? "the time was over" };
}

/** Of what is listed. What Twilio said is over is looked at itself; where that can't be read, it was said. */
async function stillLive(
  twilio: TwilioClient,
  accountSid: string,
  { listed, seen, until }: { listed: readonly LiveCall[]; seen: Seen; until: Until },
): Promise<LiveCall[]> {
  const calls = await pLimit(PARALLEL_REQUESTS).map(listed, async (call) => {
    if (!seen.over.has(call.sid)) return call;
    const read = await retrying(() => fetchCall(twilio, accountSid, call.sid, REQUEST_TIMEOUT_MS), until);
    if (read.kind === "failed" || !isLive(read.body.status)) return undefined;
    seen.over.delete(call.sid);
    seen.ended.delete(call.sid);
    return { ...call, status: read.body.status };
  });
  return calls.filter((call) => call !== undefined);
}

function noneLeft({ ended: { size } }: Seen): EndedCalls {
  if (size === 0) return { ended: 0, left: 0, why: "no call was live" };
  const ended = size === 1 ? "1 call was ended" : `${size} calls were ended`;
  return { ended: size, left: 0, why: `${ended}, and none is left` };
}

function notListed({ ended }: Seen, failure: TwilioFailure): EndedCalls {
  return { ended: ended.size, left: null, why: `not listed: ${describeFailure(failure)}` };
}

/** After so long the next status is asked for beside it. */
const IN_TURN_MS = 1000;

/**
 * One status after the other, in the order in which a call goes through them: one that moves on meanwhile is listed twice,
 * never missed. Those of one status that can't be listed keep no others alive.
 */
async function listLive(
  twilio: TwilioClient,
  accountSid: string,
  { clock, timeoutMs }: { clock: Until["clock"]; timeoutMs: number },
): Promise<LiveCalls> {
  const lists: Promise<Answer<LiveCalls>>[] = [];
  for (const status of LIVE_STATUSES) {
    const list = listLiveCalls(twilio, accountSid, status, timeoutMs);
    lists.push(list);
    const turn = new AbortController();
    await Promise.race([list, clock.sleep(IN_TURN_MS, turn.signal)]);
    turn.abort();
  }
  const live = new Map<string, LiveCall>();
  let incomplete: TwilioFailure | null = null;
  for (const list of await Promise.all(lists)) {
    incomplete ??= list.kind === "failed" ? list.failure : list.body.incomplete;
    for (const call of list.kind === "ok" ? list.body.calls : []) live.set(call.sid, call);
  }
  return { calls: [...live.values()], incomplete };
}

type Ending =
  | { kind: "ended"; sid: string }
  /** It was over before, or is not there any more. */
  | { kind: "gone"; sid: string }
  | { kind: "not-ended"; why: string };

async function endAll(twilio: TwilioClient, accountSid: string, calls: readonly LiveCall[], until: Until) {
  return pLimit(PARALLEL_REQUESTS).map(calls, (call) => endOne(twilio, accountSid, call, until));
}

/** What Twilio answers decides on the next request, not what was listed a moment ago. */
async function endOne(
  twilio: TwilioClient,
  accountSid: string,
  { sid, status: listed }: Pick<LiveCall, "sid" | "status">,
  until: Until,
): Promise<Ending> {
  let status = listed;
  let why = "the time was over";
  const refusedAs = new Set<string>();
  for (let request = 0; request < MOST_REQUESTS; request++) {
    if (until.clock.now().getTime() >= until.deadline) break;
    const answer = await retrying(() => endCall(twilio, accountSid, { sid, status }, REQUEST_TIMEOUT_MS), until);
    if (answer.kind === "ok") {
      if (isOver(answer.body.status)) return { kind: "ended", sid };
      why = `Twilio shows the call as ${JSON.stringify(answer.body.status.slice(0, 64))} still`;
      if (!isLive(answer.body.status)) break;
      status = answer.body.status;
      continue;
    }
    const { failure } = answer;
    if (failure.kind === "not-found") return { kind: "gone", sid };
    why = describeFailure(failure);
    if (failure.code !== NOT_IN_PROGRESS) break;
    // Whether that is also said of a call that was answered meanwhile is not documented: both requests are tried.
    refusedAs.add(status);
    status = otherThan(status);
    if (refusedAs.has(status)) return { kind: "gone", sid };
  }
  return { kind: "not-ended", why };
}

function otherThan(status: LiveStatus): LiveStatus {
  return status === "in-progress" ? "ringing" : "in-progress";
}
