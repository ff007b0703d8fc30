import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { SSM } from "@aws-sdk/client-ssm";
import { naiveWebhook } from "./naive-webhook.ts";

/** The usual shape: one set of clients, whole SDKs, that every function of a project shares. */
export const clients = { dynamodb: new DynamoDB({}), sns: new SNS({}), sqs: new SQS({}), ssm: new SSM({}) };

export const handler = naiveWebhook(clients);
