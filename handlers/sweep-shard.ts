import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { snsPublisher } from "../lib/alerts/publish.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { readConfig, SweepShardEnv } from "../lib/config.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { jsonLog } from "../lib/log.ts";
import { policy } from "../lib/policy/current-policy.ts";
import { secretReaders } from "../lib/secrets.ts";
import { memoryStore } from "../lib/sweep/memory-store.ts";
import { runStore } from "../lib/sweep/run-store.ts";
import { sampleStore } from "../lib/sweep/sample-store.ts";
import { shardWorker } from "../lib/sweep/sweep-shard.ts";
import { twilioClient } from "../lib/twilio/client.ts";

// Once per cold start.
const config = readConfig(SweepShardEnv, process.env);
const table = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
const authToken = secretReaders(process.env, ["TWILIO_AUTH_TOKEN"])("TWILIO_AUTH_TOKEN");
// Either is enough, as for the responder.
const mode = config.MODE === "observe" ? "observe" : policy.mode;

/** Sweeps a part of the subaccounts; changes usage triggers, and no account's status and no incident. */
export const handler = shardWorker({
  twilio: twilioClient({ accountSid: config.TWILIO_ACCOUNT_SID, authToken, apiUrl: config.TWILIO_API_URL }),
  runs: runStore(table, config.TABLE_NAME),
  memory: memoryStore(table, config.TABLE_NAME),
  samples: sampleStore(table, config.TABLE_NAME),
  inbox: sqsInbox(new SQSClient(IMPATIENT), config.INBOX_QUEUE_URL),
  alerts: snsPublisher({ client: new SNSClient(IMPATIENT), topicArn: config.ALERTS_TOPIC_ARN }),
  policy: { ...policy, mode },
  publicUrl: config.PUBLIC_URL,
  dailySummary: config.DAILY_SUMMARY === "on",
  clock,
  log: jsonLog(),
});
