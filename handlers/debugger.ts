import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { handle } from "hono/aws-lambda";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { DebuggerEnv, readConfig } from "../lib/config.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { jsonLog } from "../lib/log.ts";
import { policy } from "../lib/policy/current-policy.ts";
import { secretReaders } from "../lib/secrets.ts";
import { twilioClient } from "../lib/twilio/client.ts";
import { errorCounter } from "../lib/webhooks/count-errors.ts";
import { errorWebhooks } from "../lib/webhooks/error-webhooks.ts";
import { errorWindows } from "../lib/webhooks/error-windows.ts";
import { signingTokens } from "../lib/webhooks/signing-tokens.ts";
import { windowStore } from "../lib/webhooks/window-store.ts";

// Once per cold start.
const config = readConfig(DebuggerEnv, process.env);
const log = jsonLog();
const authToken = secretReaders(process.env, ["TWILIO_AUTH_TOKEN"])("TWILIO_AUTH_TOKEN");
const twilio = twilioClient({ accountSid: config.TWILIO_ACCOUNT_SID, authToken, apiUrl: config.TWILIO_API_URL });
const inbox = sqsInbox(new SQSClient(IMPATIENT), config.INBOX_QUEUE_URL);
const store = windowStore(DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT)), config.TABLE_NAME);
const windows = errorWindows({ store, inbox, clock, log });

/** `POST /webhooks/debugger` and `POST /webhooks/event-streams`: one function, so that both roads share what they know. */
export const app = errorWebhooks({
  publicUrl: config.PUBLIC_URL,
  parentSid: config.TWILIO_ACCOUNT_SID,
  tokens: signingTokens({ twilio, parentToken: authToken, clock, log }),
  counter: errorCounter({ rules: policy.errors, windows, inbox, clock, log }),
  clock,
  log,
});

export const handler = handle(app);
