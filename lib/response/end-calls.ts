import pLimit from "p-limit";
import { retrying, type Until, waitToRetry } from "../twilio/backoff.ts";
import { endCall, LIVE_STATUSES, type LiveCall, listLiveCalls } from "../twilio/calls.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";

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

/**
 * Ends all live calls of a suspended account, because "in-progress calls will not end when a subaccount is suspended"
 * (https://www.twilio.com/docs/iam/api/subaccounts#suspend-a-subaccount). Goes on until a list of live calls comes back
 * empty or the time is over: a call that was ringing when it was listed may be in progress by now.
 */
export async function endLiveCalls(twilio: TwilioClient, accountSid: string, until: Until): Promise<EndedCalls> {
  const limit = pLimit(PARALLEL_REQUESTS);
  const ended = new Set<string>();
  let refusal: string | undefined;

  for (let round = 0; ; round++) {
    const live = await listAll(twilio, accountSid, until);
    if (live.kind === "failed")
      return { ended: ended.size, left: null, why: `not listed: ${describeFailure(live.failure)}` };
    if (live.body.length === 0) return { ended: ended.size, left: 0, why: "no call is left" };

    const outcomes = await limit.map(live.body, (call) => endOne(twilio, accountSid, call, until));
    for (const outcome of outcomes) {
      if (outcome.kind === "ended") ended.add(outcome.sid);
      else refusal = outcome.why;
    }
    if (!(await waitToRetry(until, round))) return outOfTime(twilio, accountSid, ended.size, refusal);
  }
}

/** The last word on how many are left is Twilio's, not our count of requests. */
async function outOfTime(
  twilio: TwilioClient,
  accountSid: string,
  ended: number,
  refusal: string | undefined,
): Promise<EndedCalls> {
  const lists = await Promise.all(
    LIVE_STATUSES.map((status) => listLiveCalls(twilio, accountSid, status, REQUEST_TIMEOUT_MS)),
  );
  const live = joinLists(lists);
  const left = live.kind === "ok" ? live.body.length : null;
  return {
    ended,
    left,
    why: left === 0 ? "no call is left" : `the time was over${refusal === undefined ? "" : `; ${refusal}`}`,
  };
}

async function listAll(twilio: TwilioClient, accountSid: string, until: Until): Promise<Answer<LiveCall[]>> {
  const list = (status: LiveCall["status"]) => listLiveCalls(twilio, accountSid, status, REQUEST_TIMEOUT_MS);
  return joinLists(await Promise.all(LIVE_STATUSES.map((status) => retrying(() => list(status), until))));
}

function joinLists(lists: readonly Answer<LiveCall[]>[]): Answer<LiveCall[]> {
  const all: LiveCall[] = [];
  for (const list of lists) {
    if (list.kind === "failed") return list;
    all.push(...list.body);
  }
  return { kind: "ok", body: all };
}

type Ending = { kind: "ended"; sid: string } | { kind: "not-ended"; why: string };

async function endOne(twilio: TwilioClient, accountSid: string, call: LiveCall, until: Until): Promise<Ending> {
  if (until.clock.now().getTime() >= until.deadline) return { kind: "not-ended", why: "the time was over" };
  const answer = await retrying(() => endCall(twilio, accountSid, call, REQUEST_TIMEOUT_MS), until);
  return answer.kind === "ok"
    ? { kind: "ended", sid: call.sid }
    : { kind: "not-ended", why: describeFailure(answer.failure) };
}
