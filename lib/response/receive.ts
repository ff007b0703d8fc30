import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { messageOf } from "../errors.ts";
import { readMessage } from "../inbox/inbox.ts";
import { isCommand, isNudge, type Message } from "../inbox/messages.ts";
import { handleFifoBatch } from "./batch.ts";
import { carryOut } from "./carry-out.ts";
import { heed } from "./heed.ts";
import { type Outcome, respond } from "./respond.ts";
import type { Responder, Turn } from "./responder.ts";

/** Kept back from the function's time, to report what was not finished instead of being cut. */
const RESERVE_MS = 1500;
/** A message that would get less time than this is left for the next delivery. */
const LEAST_MS = 5000;

type RemainingTime = Pick<Context, "getRemainingTimeInMillis">;

/** Takes a batch from the inbox: what is not finished, for whatever reason, is reported and comes again. */
export function inboxReceiver(responder: Responder) {
  return async (event: SQSEvent, context: RemainingTime): Promise<SQSBatchResponse> => {
    const deadline = responder.clock.now().getTime() + context.getRemainingTimeInMillis() - RESERVE_MS;
    return handleFifoBatch(event.Records, (record) => isDone(responder, record, deadline));
  };
}

async function isDone(responder: Responder, record: SQSRecord, deadline: number): Promise<boolean> {
  const { log, clock } = responder;
  const begunAt = clock.now().getTime();
  if (deadline - begunAt < LEAST_MS) return false;
  const attempt = Number(record.attributes.ApproximateReceiveCount);
  try {
    const message = readMessage(record.body);
    const outcome = await handle(responder, message, { attempt, begunAt, deadline });
    const took = clock.now().getTime() - begunAt;
    log.info("message-handled", { accountSid: message.accountSid, id: message.id, attempt, took, ...outcome });
    return outcome.kind === "done";
  } catch (error) {
    log.error("message-not-handled", { messageId: record.messageId, attempt, reason: messageOf(error) });
    return false;
  }
}

function handle(responder: Responder, message: Message, turn: Turn): Promise<Outcome> {
  if (isCommand(message)) return carryOut(responder, { command: message, ...turn });
  if (isNudge(message)) return heed(responder, { nudge: message, ...turn });
  return respond(responder, { signal: message, ...turn });
}
