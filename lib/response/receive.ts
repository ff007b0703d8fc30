import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { messageOf } from "../errors.ts";
import { CONTAINED_ATTRIBUTE, readMessage, TRIES_ATTRIBUTE } from "../inbox/inbox.ts";
import { isCommand, isNudge, type Message } from "../inbox/messages.ts";
import { carryOut } from "./carry-out.ts";
import { ContainedUnrecorded } from "./enforce.ts";
import { heed } from "./heed.ts";
import { park } from "./park.ts";
import { respond } from "./respond.ts";
import type { Outcome, Responder, Turn } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";
import { STOP, type Urgency, urgencyOf } from "./urgency.ts";

/** Kept back from the function's time, to report what was not finished instead of being cut. */
const RESERVE_MS = 1500;
/** A message that would get less time than this is put off. */
const LEAST_MS = 5000;
/** What the messages of one account that stop nothing may take in one batch: meanwhile SQS hands out no other of that account. */
const OTHERS_MS = 1500;
/** The same for what is due besides each act: the follow-up queue does what takes longer. */
const BESIDES_MS = 1000;

export type RemainingTime = Pick<Context, "getRemainingTimeInMillis">;

/** A message of the inbox, as SQS handed it out. */
interface Received {
  record: SQSRecord;
  /** Undefined where this version cannot read it; `problem` says why. */
  message: Message | undefined;
  problem: string;
  urgency: Urgency;
}

/** The times of a batch, in milliseconds since the epoch. */
interface Time {
  begunAt: number;
  deadline: number;
}

/**
 * Takes a batch from the inbox: accounts side by side. Of one account, what may suspend it comes first; and each message is
 * by itself: one that fails, or can't even be read, is parked, so that those behind it are looked at all the same. SQS hands
 * a message out again only where it could not be parked, or where we were cut.
 */
export function inboxReceiver(responder: Responder) {
  return async ({ Records }: SQSEvent, context: RemainingTime): Promise<SQSBatchResponse> => {
    const begunAt = responder.clock.now().getTime();
    const time = { begunAt, deadline: begunAt + context.getRemainingTimeInMillis() - RESERVE_MS };
    const accounts = Map.groupBy(Records, groupOf);
    const left = await Promise.all([...accounts.values()].map((records) => handleAccount(responder, records, time)));
    return { batchItemFailures: left.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** @returns the records that SQS has to hand out again. */
async function handleAccount(responder: Responder, records: readonly SQSRecord[], time: Time): Promise<SQSRecord[]> {
  const received = records.map((record) => receivedFrom(record, responder));
  const besides = { leftMs: BESIDES_MS };
  const left: SQSRecord[] = [];
  for (const one of received.toSorted((a, b) => a.urgency - b.urgency)) {
    if (!(await settle(responder, one, time, besides))) left.push(one.record);
  }
  return left;
}

function receivedFrom(record: SQSRecord, responder: Responder): Received {
  try {
    const message = readMessage(record.body);
    return { record, message, problem: "", urgency: urgencyOf(message, responder.policy, responder.clock.now()) };
  } catch (error) {
    return { record, message: undefined, problem: messageOf(error), urgency: STOP.never };
  }
}

/** @returns whether the inbox may forget it: it is done, or parked. */
async function settle(responder: Responder, one: Received, time: Time, besides: Turn["besides"]): Promise<boolean> {
  const { record, message, problem, urgency } = one;
  const now = responder.clock.now().getTime();
  const tries = triesOf(record);
  const containedAt = record.messageAttributes[CONTAINED_ATTRIBUTE]?.stringValue ?? null;
  const parking = { group: groupOf(record), body: record.body, tries, containedAt, urgency };
  if (message === undefined) {
    responder.log.count("MessagesUnhandled", 1);
    return park(responder, { ...parking, tries: tries + 1, why: problem });
  }
  if (hasToWait(urgency, now, time)) return park(responder, { ...parking, why: "there was no time left for it" });
  const turn = { tries: tries + 1, begunAt: now, deadline: time.deadline, besides, containedAt };
  const outcome = await attempt(responder, message, turn, urgency);
  if (outcome.kind === "done") return true;
  const contained = outcome.containedAt ?? containedAt;
  return park(responder, { ...parking, tries: turn.tries, containedAt: contained, why: outcome.why });
}

function hasToWait(urgency: Urgency, now: number, { begunAt, deadline }: Time): boolean {
  return deadline - now < LEAST_MS || (urgency === STOP.never && now - begunAt >= OTHERS_MS);
}

async function attempt(responder: Responder, message: Message, turn: Turn, urgency: Urgency): Promise<Outcome> {
  const { log, clock } = responder;
  const { accountSid, id } = message;
  try {
    const outcome = await handle(bounded(responder, urgency), message, turn);
    const took = clock.now().getTime() - turn.begunAt;
    log.info("message-handled", { accountSid, id, try: turn.tries, took, ...outcome });
    return outcome;
  } catch (error) {
    const why = messageOf(error);
    log.error("message-not-handled", { accountSid, id, try: turn.tries, reason: why });
    log.count("MessagesUnhandled", 1);
    return { kind: "again", why, ...(error instanceof ContainedUnrecorded && { containedAt: error.at.toISOString() }) };
  }
}

/** What stops nothing may not wait for Twilio for long: a firing may be behind it. */
function bounded(responder: Responder, urgency: Urgency): Responder {
  if (urgency !== STOP.never) return responder;
  const { twilio, clock } = responder;
  return { ...responder, twilio: limitedTo(twilio, { clock, deadline: clock.now().getTime() + OTHERS_MS }) };
}

function handle(responder: Responder, message: Message, turn: Turn): Promise<Outcome> {
  if (isCommand(message)) return carryOut(responder, { command: message, ...turn });
  if (isNudge(message)) return heed(responder, { nudge: message, ...turn });
  return respond(responder, { signal: message, ...turn });
}

function groupOf({ attributes }: SQSRecord): string {
  return attributes.MessageGroupId ?? "";
}

/** How often it was tried before. */
function triesOf({ messageAttributes }: SQSRecord): number {
  const tries = Number(messageAttributes[TRIES_ATTRIBUTE]?.stringValue ?? 0);
  return Number.isSafeInteger(tries) && tries >= 0 ? tries : 0;
}
