import pLimit from "p-limit";
import { retrying, type Until, waitToRetry } from "../twilio/backoff.ts";
import { endCall, LIVE_STATUSES, type LiveCall, listLiveCalls } from "../twilio/calls.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
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
/** After so many rounds in which Twilio ended no call, people are told, and the next delivery goes on. */
const MOST_IDLE_ROUNDS = 3;

/**
 * Ends all live calls of a suspended account, because "in-progress calls will not end when a subaccount is suspended"
 * (https://www.twilio.com/docs/iam/api/subaccounts#suspend-a-subaccount). Goes on until a list of live calls comes back
 * empty or the time is over: a call that was ringing when it was listed may be in progress by now.
 */
export async function endLiveCalls(twilio: TwilioClient, accountSid: string, until: Until): Promise<EndedCalls> {
  const inTime = limitedTo(twilio, until);
  // Those whose end Twilio confirmed and that were in no later list: an answer alone ends no call.
  const ended = new Set<string>();
  let refusal: string | undefined;

  for (let round = 0, idle = 0; ; round++) {
    const live = await listLive(inTime, accountSid, until);
    if (live.kind === "failed") return notListed(ended, describeFailure(live.failure));
    for (const { sid } of live.body) ended.delete(sid);
    if (live.body.length === 0) return { ended: ended.size, left: 0, why: noneLeft(ended.size) };

    const outcomes = await endAll(inTime, accountSid, live.body, until);
    for (const outcome of outcomes) {
      if (outcome.kind === "ended") ended.add(outcome.sid);
      else refusal = outcome.why;
    }
    idle = outcomes.some(({ kind }) => kind === "ended") ? 0 : idle + 1;
    if (idle === MOST_IDLE_ROUNDS || !(await waitToRetry(until, round))) {
      return lastLook(twilio, accountSid, { ended, refusal, until });
    }
  }
}

/** How many are left is Twilio's word, not our count of requests. */
async function lastLook(
  twilio: TwilioClient,
  accountSid: string,
  { ended, refusal, until }: { ended: Set<string>; refusal: string | undefined; until: Until },
): Promise<EndedCalls> {
  const afterwards = extended({ clock: until.clock, deadline: until.clock.now().getTime() }, LAST_LOOK_MS);
  const live = await listLive(limitedTo(twilio, afterwards), accountSid, afterwards);
  if (live.kind === "failed") return notListed(ended, describeFailure(live.failure));
  for (const { sid } of live.body) ended.delete(sid);
  const left = live.body.length;
  return { ended: ended.size, left, why: left === 0 ? noneLeft(ended.size) : (refusal ?? "the time was over") };
}

function noneLeft(ended: number): string {
  if (ended === 0) return "no call was live";
  return ended === 1 ? "1 call was ended, and none is left" : `${ended} calls were ended, and none is left`;
}

function notListed(ended: ReadonlySet<string>, reason: string): EndedCalls {
  return { ended: ended.size, left: null, why: `not listed: ${reason}` };
}

/** One status after the other, in the order in which a call goes through them: one that moves on meanwhile is listed twice, never missed. */
async function listLive(twilio: TwilioClient, accountSid: string, until: Until): Promise<Answer<LiveCall[]>> {
  const live = new Map<string, LiveCall>();
  for (const status of LIVE_STATUSES) {
    const list = await retrying(() => listLiveCalls(twilio, accountSid, status, REQUEST_TIMEOUT_MS), until);
    if (list.kind === "failed") return list;
    for (const call of list.body) live.set(call.sid, call);
  }
  return { kind: "ok", body: [...live.values()] };
}

type Ending = { kind: "ended"; sid: string } | { kind: "not-ended"; why: string };

async function endAll(twilio: TwilioClient, accountSid: string, calls: readonly LiveCall[], until: Until) {
  return pLimit(PARALLEL_REQUESTS).map(calls, (call) => endOne(twilio, accountSid, call, until));
}

async function endOne(twilio: TwilioClient, accountSid: string, call: LiveCall, until: Until): Promise<Ending> {
  if (until.clock.now().getTime() >= until.deadline) return { kind: "not-ended", why: "the time was over" };
  const answer = await retrying(() => endCall(twilio, accountSid, call, REQUEST_TIMEOUT_MS), until);
  return answer.kind === "ok"
    ? { kind: "ended", sid: call.sid }
    : { kind: "not-ended", why: describeFailure(answer.failure) };
}
