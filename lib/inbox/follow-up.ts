import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";
import { BatchCommand } from "./commands.ts";
import { accountSid, time } from "./fields.ts";
import { asciiJson } from "./inbox.ts";

/**
 * What is still to be done about a message that left the inbox. An ordinary queue, beside the inbox: nothing in it stands
 * in the way of what comes in, each of its messages has deliveries of its own, and it may wait.
 */
export const FollowUp = z.discriminatedUnion("kind", [
  /** Something is due on an incident: calls to be ended, evidence to be read, people to be told, the check-list. */
  z.object({
    kind: z.literal("incident"),
    accountSid,
    incidentId: z.string().check(z.minLength(1), z.maxLength(64)),
    /** Whether there were calls to be ended when it was put there: they cost money even while the incident can't be read. */
    callsDue: z.boolean(),
  }),
  /** A webhook may have stood for others that were dropped at the door: Twilio's own list of the account's triggers decides. */
  z.object({ kind: z.literal("reconcile"), accountSid, look: z.int().check(z.positive()) }),
  /** Several commands are under way that one request asked for: people are told of all of them together. */
  z.object({ kind: z.literal("batch"), command: BatchCommand }),
  /** A message that could not be finished, or not even read: it goes back into the inbox. */
  z.object({
    kind: z.literal("parked"),
    /** As in `Returned`. */
    group: z.string().check(z.minLength(1), z.maxLength(128)),
    body: z.string(),
    tries: z.int().check(z.nonnegative()),
    containedAt: z.nullable(time),
    why: z.string(),
  }),
]);
export type FollowUp = z.infer<typeof FollowUp>;
export type Parked = Extract<FollowUp, { kind: "parked" }>;

export interface FollowUps {
  /** Resolves once it is stored. It is handed out after `delaySeconds`, 900 at most; at least once, in no order. */
  put(followUp: FollowUp, delaySeconds?: number): Promise<void>;
  /** Puts a message aside for a person: nobody tries it again. */
  giveUp(parked: Parked): Promise<void>;
}

export interface FollowUpQueues {
  queueUrl: string;
  deadLettersUrl: string;
}

/** SQS delays no message for longer: 15 minutes. */
const LONGEST_DELAY_S = 900;

export function sqsFollowUps(client: SQSClient, { queueUrl, deadLettersUrl }: FollowUpQueues): FollowUps {
  async function send(QueueUrl: string, followUp: FollowUp, DelaySeconds = 0): Promise<void> {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: asciiJson(followUp), DelaySeconds }));
  }
  return {
    put: (followUp, delaySeconds = 0) => send(queueUrl, followUp, Math.min(Math.ceil(delaySeconds), LONGEST_DELAY_S)),
    giveUp: (parked) => send(deadLettersUrl, parked),
  };
}

/** @throws TollbreakerError `follow-up-invalid` when `body` was not put there by this version of the code. */
export function readFollowUp(body: string): FollowUp {
  const result = z.safeParse(FollowUp, parseJson(body));
  if (result.success) return result.data;
  throw new TollbreakerError("follow-up-invalid", "A message in the follow-up queue cannot be read.", {
    expected: "what is still to be done, as lib/inbox/follow-up.ts defines it",
    got: result.error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.message}`).join("; "),
    fix: "it comes again, and goes to the dead letters; redrive it after deploying code that knows it",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
