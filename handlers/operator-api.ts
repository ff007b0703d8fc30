import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { handle } from "hono/aws-lambda";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { OperatorApiEnv, readConfig } from "../lib/config.ts";
import { drillStore } from "../lib/drills/drill-store.ts";
import { sqsInbox } from "../lib/inbox/inbox.ts";
import { dynamoBrakeReader } from "../lib/incidents/brake-reader.ts";
import { dynamoIncidentReader } from "../lib/incidents/dynamo-reader.ts";
import { raiseReader } from "../lib/incidents/raise-store.ts";
import { jsonLog } from "../lib/log.ts";
import { configuredOperators } from "../lib/operators/configured-operators.ts";
import { operatorApi } from "../lib/operators/operator-api.ts";
import { watchInTable } from "../lib/operators/watch.ts";
import { policy } from "../lib/policy/current-policy.ts";

// Once per cold start.
const config = readConfig(OperatorApiEnv, process.env);
const log = jsonLog();
// As the responder sees it: either is enough.
const mode = config.MODE === "observe" ? "observe" : policy.mode;

const table = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));

/** The operator API, for whoever serves HTTP. It holds no credentials of Twilio's, and writes no incident. */
export const app = operatorApi({
  incidents: dynamoIncidentReader(config.TABLE_NAME),
  brake: dynamoBrakeReader(config.TABLE_NAME),
  drills: drillStore(table, config.TABLE_NAME),
  raises: raiseReader(table, config.TABLE_NAME),
  inbox: sqsInbox(new SQSClient(IMPATIENT), config.INBOX_QUEUE_URL),
  policy: { ...policy, mode },
  parentSid: config.TWILIO_ACCOUNT_SID,
  publicUrl: config.PUBLIC_URL,
  operators: configuredOperators(process.env),
  watch: watchInTable(config.TABLE_NAME, clock, log),
  clock,
  log,
});

export const handler = handle(app);
