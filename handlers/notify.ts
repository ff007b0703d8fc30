import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { notifier } from "../lib/alerts/notify.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { NotifyEnv, readConfig } from "../lib/config.ts";
import { drillStore } from "../lib/drills/drill-store.ts";
import { sqsPostpone } from "../lib/inbox/postpone.ts";
import { jsonLog } from "../lib/log.ts";
import { secretReaders } from "../lib/secrets.ts";
import { configuredSender } from "../lib/slack/configured-sender.ts";
import { messageStore } from "../lib/slack/message-store.ts";

// once per cold start
const config = readConfig(NotifyEnv, process.env);
const log = jsonLog();
const secret = secretReaders(process.env, ["SLACK_BOT_TOKEN", "SLACK_WEBHOOK_URL"]);
const table = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
const notify = notifier({
  slack: configuredSender({
    botToken: secret("SLACK_BOT_TOKEN"),
    channel: config.SLACK_CHANNEL,
    webhookUrl: secret("SLACK_WEBHOOK_URL"),
    apiUrl: config.SLACK_API_URL,
    store: messageStore(table, config.TABLE_NAME, clock.now),
    log,
  }),
  postpone: sqsPostpone({ sqs: new SQSClient(IMPATIENT), queueUrl: config.NOTIFY_QUEUE_URL, log }),
  drills: drillStore(table, config.TABLE_NAME),
  log,
  clock,
});

/** The notify queue's messages, each sent to Slack; those that were not are reported, and come back. */
export async function handler(
  { Records }: SQSEvent,
  context: Pick<Context, "getRemainingTimeInMillis">,
): Promise<SQSBatchResponse> {
  return notify(Records, () => context.getRemainingTimeInMillis());
}
