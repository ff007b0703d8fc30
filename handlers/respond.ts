import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { snsPublisher } from "../lib/alerts/publish.ts";
import { IMPATIENT } from "../lib/aws.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { RespondEnv, readConfig } from "../lib/config.ts";
import { incidentStore } from "../lib/incidents/store.ts";
import { jsonLog } from "../lib/log.ts";
import { inboxReceiver } from "../lib/response/receive.ts";
import { secretReader } from "../lib/secrets.ts";
import { twilioClient } from "../lib/twilio/client.ts";

// Once per cold start.
const config = readConfig(RespondEnv, process.env);

/** Takes signals from the inbox: the only function with the power to suspend, and the only one that writes incidents. */
export const handler = inboxReceiver({
  twilio: twilioClient({
    accountSid: config.TWILIO_ACCOUNT_SID,
    authToken: secretReader(process.env, "TWILIO_AUTH_TOKEN"),
    apiUrl: config.TWILIO_API_URL,
  }),
  store: incidentStore(DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT)), config.TABLE_NAME),
  alerts: snsPublisher({ client: new SNSClient(IMPATIENT), topicArn: config.ALERTS_TOPIC_ARN }),
  mode: config.MODE,
  publicUrl: config.PUBLIC_URL,
  clock,
  log: jsonLog(),
});
