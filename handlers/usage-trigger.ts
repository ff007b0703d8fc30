import { SQSClient } from "@aws-sdk/client-sqs";
import { handle } from "hono/aws-lambda";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { readConfig, UsageTriggerEnv } from "../lib/config.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { jsonLog } from "../lib/log.ts";
import { policy } from "../lib/policy/current-policy.ts";
import { secretReaders } from "../lib/secrets.ts";
import { twilioClient } from "../lib/twilio/client.ts";
import { signingTokens } from "../lib/webhooks/signing-tokens.ts";
import { usageTriggerWebhook } from "../lib/webhooks/usage-trigger.ts";

// Once per cold start.
const config = readConfig(UsageTriggerEnv, process.env);
const log = jsonLog();
const authToken = secretReaders(process.env, ["TWILIO_AUTH_TOKEN"])("TWILIO_AUTH_TOKEN");
const twilio = twilioClient({ accountSid: config.TWILIO_ACCOUNT_SID, authToken, apiUrl: config.TWILIO_API_URL });

/** `POST /webhooks/usage-trigger`, for whoever serves HTTP: Lambda below, or the local server. */
export const app = usageTriggerWebhook({
  publicUrl: config.PUBLIC_URL,
  tokens: signingTokens({ twilio, parentToken: authToken, clock, log }),
  parentSid: config.TWILIO_ACCOUNT_SID,
  policy,
  inbox: sqsInbox(new SQSClient(IMPATIENT), config.INBOX_QUEUE_URL),
  clock,
  log,
});

export const handler = handle(app);
