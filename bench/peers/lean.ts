import { SQS } from "@aws-sdk/client-sqs";
import { SSM } from "@aws-sdk/client-ssm";
import { naiveWebhook } from "./naive-webhook.ts";

/** As naive as the other, but with no client that the webhook does not use: the harder peer. */
export const handler = naiveWebhook({ sqs: new SQS({}), ssm: new SSM({}) });
