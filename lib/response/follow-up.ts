import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { messageOf } from "../errors.ts";
import { type FollowUp, readFollowUp } from "../inbox/follow-up.ts";
import type { Postponement } from "../inbox/postpone.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { retrying } from "../twilio/backoff.ts";
import { summariseBatch } from "./carry-out-batch.ts";
import { endLiveCalls } from "./end-calls.ts";
import { finish, type Left } from "./finish.ts";
import type { RemainingTime } from "./receive.ts";
import { reconcile } from "./reconcile.ts";
import { CALLS_SHARE, type Responder, share, type Turn } from "./responder.ts";

/** Kept back from the function's time, to report what was not finished and to say when it comes again. */
const RESERVE_MS = 2500;
const FIRST_WAIT_S = 2;
const LONGEST_WAIT_S = 900;

type Time = Pick<Turn, "begunAt" | "deadline">;

/**
 * Takes what is still to be done from the follow-up queue, side by side: it is in no order, and none waits for another. What
 * is not finished comes again, later each time; SQS counts its deliveries, each of which was begun.
 */
export function followUpReceiver(responder: Responder) {
  return async ({ Records }: SQSEvent, context: RemainingTime): Promise<SQSBatchResponse> => {
    const begunAt = responder.clock.now().getTime();
    const time = { begunAt, deadline: begunAt + context.getRemainingTimeInMillis() - RESERVE_MS };
    const outcomes = await Promise.all(Records.map((record) => settle(responder, record, time)));
    const left = outcomes.filter((one) => one !== undefined);
    if (left.length > 0) await responder.postpone(left);
    return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

type Comeback = Postponement & { messageId: string };

/** @returns undefined when it is done. */
async function settle(responder: Responder, record: SQSRecord, time: Time): Promise<Comeback | undefined> {
  const why = await whyLeft(responder, record, time);
  if (why === undefined) return undefined;
  const { messageId, receiptHandle } = record;
  const seconds = waitAfter(Number(record.attributes.ApproximateReceiveCount));
  responder.log.warn("follow-up-left", { messageId, seconds, why });
  return { messageId, receiptHandle, seconds };
}

function waitAfter(deliveries: number): number {
  return Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** Math.max(0, deliveries - 1));
}

async function whyLeft(responder: Responder, record: SQSRecord, time: Time): Promise<string | undefined> {
  try {
    return await work(responder, readFollowUp(record.body), record.messageId, time);
  } catch (error) {
    const reason = messageOf(error);
    responder.log.error("follow-up-not-handled", { messageId: record.messageId, reason });
    responder.log.count("MessagesUnhandled", 1);
    return reason;
  }
}

async function work(
  responder: Responder,
  followUp: FollowUp,
  messageId: string,
  time: Time,
): Promise<string | undefined> {
  switch (followUp.kind) {
    case "incident":
      return finishIncident(responder, followUp, time);
    case "reconcile":
      return reconcile(responder, followUp, { clock: responder.clock, deadline: time.deadline });
    case "batch":
      return summariseBatch(responder, followUp.command);
    case "parked": {
      const { group, body, tries, containedAt } = followUp;
      await responder.inbox.putBack({ id: messageId, group, body, tries, containedAt });
      return undefined;
    }
  }
}

type OfIncident = Extract<FollowUp, { kind: "incident" }>;

/** @throws what the store throws, and the queue */
export async function finishIncident(
  responder: Responder,
  followUp: OfIncident,
  time: Time,
): Promise<string | undefined> {
  const left = await finishOrEndCalls(responder, followUp, time);
  if (left === undefined || left.laterMs === null) return left?.why;
  // A message of its own: to wait is no failure, and uses up no deliveries.
  await responder.followUps.put(followUp, Math.max(LEAST_LATER_S, left.laterMs / 1000));
  return undefined;
}

const LEAST_LATER_S = 1;

async function finishOrEndCalls(
  responder: Responder,
  { accountSid, incidentId, callsDue }: OfIncident,
  time: Time,
): Promise<Left | undefined> {
  try {
    const record = await responder.store.load(incidentId);
    return record && (await finish(responder, record, { ...time, isPatient: true }));
  } catch (error) {
    if (callsDue) await endCallsIfSuspended(responder, accountSid, time);
    throw error;
  }
}

const REQUEST_TIMEOUT_MS = 5000;

/** While our own store can't say whether the account has come back since. */
async function endCallsIfSuspended(responder: Responder, accountSid: string, time: Time): Promise<void> {
  const { twilio } = responder;
  const until = share(responder, time, CALLS_SHARE);
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "ok" && account.body.status === "suspended") await endLiveCalls(twilio, accountSid, until);
}
