import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { snsPublisher } from "../lib/alerts/publish.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { RespondEnv, readConfig } from "../lib/config.ts";
import { drillStore } from "../lib/drills/drill-store.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { brakeStore } from "../lib/incidents/brake-store.ts";
import { incidentStore } from "../lib/incidents/store.ts";
import { jsonLog } from "../lib/log.ts";
import { policy } from "../lib/policy/current-policy.ts";
import { brakeKeeper } from "../lib/response/keep-brake.ts";
import { inboxReceiver } from "../lib/response/receive.ts";
import { secretReader } from "../lib/secrets.ts";
import { twilioClient } from "../lib/twilio/client.ts";
import { markOf } from "../lib/twilio/token-mark.ts";

// Once per cold start.
const config = readConfig(RespondEnv, process.env);
const log = jsonLog();
const table = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
const inbox = sqsInbox(new SQSClient(IMPATIENT), config.INBOX_QUEUE_URL);
const authToken = secretReader(process.env, "TWILIO_AUTH_TOKEN");
const apiUrl = config.TWILIO_API_URL;
// Either is enough: nothing is suspended by mistake.
const mode = config.MODE === "observe" ? "observe" : policy.mode;

/** Takes messages from the inbox: the only function with the power to change an account, and to write incidents. */
export const handler = inboxReceiver({
  twilio: twilioClient({ accountSid: config.TWILIO_ACCOUNT_SID, authToken, apiUrl }),
  subaccount: (accountSid, token) => twilioClient({ accountSid, authToken: async () => token, apiUrl }),
  markOf: async (accountSid, token) => markOf(token, { key: (await authToken()) ?? "", accountSid }),
  store: incidentStore(table, config.TABLE_NAME),
  alerts: snsPublisher({ client: new SNSClient(IMPATIENT), topicArn: config.ALERTS_TOPIC_ARN }),
  inbox,
  drills: drillStore(table, config.TABLE_NAME),
  policy: { ...policy, mode },
  brake: brakeKeeper({ store: brakeStore(table, config.TABLE_NAME, clock), inbox, brake: policy.brake, clock, log }),
  publicUrl: config.PUBLIC_URL,
  clock,
  log,
});
