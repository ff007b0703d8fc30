import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { snsPublisher } from "../lib/alerts/publish.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { RespondEnv, readConfig } from "../lib/config.ts";
import { drillStore } from "../lib/drills/drill-store.ts";
import { sqsFollowUps } from "../lib/inbox/follow-up.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { sqsPostpone } from "../lib/inbox/postpone.ts";
import { brakeStore } from "../lib/incidents/brake-store.ts";
import { incidentStore } from "../lib/incidents/store.ts";
import { jsonLog } from "../lib/log.ts";
import { policy } from "../lib/policy/current-policy.ts";
import { followUpReceiver } from "../lib/response/follow-up.ts";
import { brakeKeeper } from "../lib/response/keep-brake.ts";
import { inboxReceiver, type RemainingTime } from "../lib/response/receive.ts";
import type { Responder } from "../lib/response/responder.ts";
import { secretReaders } from "../lib/secrets.ts";
import { twilioClient } from "../lib/twilio/client.ts";
import { markOf } from "../lib/twilio/token-mark.ts";

// Once per cold start.
const config = readConfig(RespondEnv, process.env);
const log = jsonLog();
const table = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
const authToken = secretReaders(process.env, ["TWILIO_AUTH_TOKEN"])("TWILIO_AUTH_TOKEN");
const apiUrl = config.TWILIO_API_URL;
// Either is enough: nothing is suspended by mistake.
const mode = config.MODE === "observe" ? "observe" : policy.mode;

const sqs = new SQSClient(IMPATIENT);
const followUpQueue = config.FOLLOW_UP_QUEUE_URL;
const responder: Responder = {
  twilio: twilioClient({ accountSid: config.TWILIO_ACCOUNT_SID, authToken, apiUrl }),
  subaccount: (accountSid, token) => twilioClient({ accountSid, authToken: async () => token, apiUrl }),
  markOf: async (accountSid, token) => markOf(token, { key: (await authToken()) ?? "", accountSid }),
  store: incidentStore(table, config.TABLE_NAME),
  alerts: snsPublisher({ client: new SNSClient(IMPATIENT), topicArn: config.ALERTS_TOPIC_ARN }),
  inbox: sqsInbox(sqs, config.INBOX_QUEUE_URL),
  followUps: sqsFollowUps(sqs, { queueUrl: followUpQueue, deadLettersUrl: config.FOLLOW_UP_DEAD_LETTERS_URL }),
  postpone: sqsPostpone({ sqs, queueUrl: followUpQueue, log }),
  drills: drillStore(table, config.TABLE_NAME),
  policy: { ...policy, mode },
  brake: brakeKeeper({ store: brakeStore(table, config.TABLE_NAME, clock), brake: policy.brake, clock, log }),
  publicUrl: config.PUBLIC_URL,
  clock,
  log,
};
const fromInbox = inboxReceiver(responder);
const fromFollowUps = followUpReceiver(responder);

/**
 * Takes messages from the inbox, and what is still to be done from the follow-up queue: the only function with the power to
 * change an account, and to write incidents.
 */
export const handler = (event: SQSEvent, context: RemainingTime): Promise<SQSBatchResponse> =>
  isOf(followUpQueue, event) ? fromFollowUps(event, context) : fromInbox(event, context);

/** Each batch is of one queue; an ARN ends with the queue's name, as its URL does. */
function isOf(queueUrl: string, { Records: [first] }: SQSEvent): boolean {
  return first?.eventSourceARN.split(":").at(-1) === queueUrl.split("/").at(-1);
}
