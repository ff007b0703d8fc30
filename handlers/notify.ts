import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { deliverToSlack } from "../lib/alerts/deliver-to-slack.ts";
import { notifier } from "../lib/alerts/notify.ts";
import { sqsPostpone } from "../lib/alerts/postpone.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock } from "../lib/clock.ts";
import { NotifyEnv, readConfig } from "../lib/config.ts";
import { jsonLog } from "../lib/log.ts";
import { secretReader } from "../lib/secrets.ts";

// once per cold start
const config = readConfig(NotifyEnv, process.env);
const log = jsonLog();
const notify = notifier({
  slackWebhookUrl: secretReader(process.env, "SLACK_WEBHOOK_URL"),
  deliver: deliverToSlack,
  postpone: sqsPostpone({ sqs: new SQSClient(IMPATIENT), queueUrl: config.NOTIFY_QUEUE_URL, log }),
  log,
  clock: systemClock,
});

/** The notify queue's messages, each sent to Slack; those that were not are reported, and come back. */
export async function handler(
  { Records }: SQSEvent,
  context: Pick<Context, "getRemainingTimeInMillis">,
): Promise<SQSBatchResponse> {
  return notify(Records, () => context.getRemainingTimeInMillis());
}
