import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { handle } from "hono/aws-lambda";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { readConfig, SlackEnv } from "../lib/config.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { dynamoBrakeReader } from "../lib/incidents/brake-reader.ts";
import { dynamoIncidentReader } from "../lib/incidents/dynamo-reader.ts";
import { jsonLog } from "../lib/log.ts";
import { configuredOperators, OPERATORS_AGE } from "../lib/operators/configured-operators.ts";
import { noteUses } from "../lib/operators/note-use.ts";
import { policy } from "../lib/policy/current-policy.ts";
import { secretReaders } from "../lib/secrets.ts";
import { handledOnce } from "../lib/slack/handled-once.ts";
import { slackActions } from "../lib/slack/slack-actions.ts";

// Once per cold start.
const config = readConfig(SlackEnv, process.env);
const log = jsonLog();
const secret = secretReaders(process.env, ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "OPERATORS"], {
  ages: { OPERATORS: OPERATORS_AGE },
});
const table = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
// As the responder sees it: either is enough.
const mode = config.MODE === "observe" ? "observe" : policy.mode;

/** `POST /slack/actions`, for whoever serves HTTP. It holds no credentials of Twilio's, and writes no incident. */
export const app = slackActions({
  publicUrl: config.PUBLIC_URL,
  signingSecret: secret("SLACK_SIGNING_SECRET"),
  botToken: secret("SLACK_BOT_TOKEN"),
  apiUrl: config.SLACK_API_URL,
  team: config.SLACK_TEAM_ID,
  operators: configuredOperators(process.env, secret("OPERATORS")),
  once: handledOnce(table, config.TABLE_NAME, log),
  noteUse: noteUses({ client: table, tableName: config.TABLE_NAME, clock, log }),
  incidents: dynamoIncidentReader(config.TABLE_NAME),
  brake: dynamoBrakeReader(config.TABLE_NAME),
  inbox: sqsInbox(new SQSClient(IMPATIENT), config.INBOX_QUEUE_URL),
  policy: { ...policy, mode },
  parentSid: config.TWILIO_ACCOUNT_SID,
  clock,
  log,
});

export const handler = handle(app);
