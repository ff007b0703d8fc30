import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Context } from "aws-lambda";
import { snsPublisher } from "../lib/alerts/publish.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { readConfig, SweepEnv } from "../lib/config.ts";
import { dynamoIncidentReader } from "../lib/incidents/dynamo-reader.ts";
import { jsonLog } from "../lib/log.ts";
import { secretReaders } from "../lib/secrets.ts";
import { tableAge } from "../lib/sweep/first-moment.ts";
import { runStore } from "../lib/sweep/run-store.ts";
import { sqsShardQueue } from "../lib/sweep/shard-queue.ts";
import { type Start, startSweep } from "../lib/sweep/start-sweep.ts";
import { twilioClient } from "../lib/twilio/client.ts";

// Once per cold start.
const config = readConfig(SweepEnv, process.env);
const authToken = secretReaders(process.env, ["TWILIO_AUTH_TOKEN"])("TWILIO_AUTH_TOKEN");
const dynamo = new DynamoDBClient(IMPATIENT);
const starter = {
  twilio: twilioClient({ accountSid: config.TWILIO_ACCOUNT_SID, authToken, apiUrl: config.TWILIO_API_URL }),
  runs: runStore(DynamoDBDocumentClient.from(dynamo), config.TABLE_NAME),
  table: tableAge(dynamo, config.TABLE_NAME),
  incidents: dynamoIncidentReader(config.TABLE_NAME),
  shards: sqsShardQueue(new SQSClient(IMPATIENT), config.SWEEP_QUEUE_URL),
  alerts: snsPublisher({ client: new SNSClient(IMPATIENT), topicArn: config.ALERTS_TOPIC_ARN }),
  clock,
  log: jsonLog(),
};
/** Kept back from the function's time, to queue what was listed. */
const RESERVE_MS = 10_000;

/** Every few minutes: begins a sweep over all subaccounts, unless the one before is still under way. */
export async function handler(_event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<Start> {
  return startSweep(starter, clock.now().getTime() + context.getRemainingTimeInMillis() - RESERVE_MS);
}
