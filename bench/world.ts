import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOCAL_CREDENTIALS, type LocalAws, startLocalAws } from "../local/aws.ts";
import { startTwilioSimulator, type TwilioSimulator } from "../local/twilio/simulator.ts";
import type { Account } from "./firing.ts";
import { startParameterStore } from "./parameter-store.ts";
import { type CountingProxy, startProxy } from "./proxy.ts";

export type Service = "twilio" | "sqs" | "dynamodb";

export interface World {
  /** What the functions find in their environment, with secrets in Parameter Store as on AWS. */
  environment: Record<string, string>;
  /** The inbox, reached without a proxy: what the bench itself takes from it is not a function's request. */
  inbox: { endpoint: string; queueUrl: string };
  accounts: Account[];
  proxies: Record<Service, CountingProxy>;
  close(): Promise<void>;
}

export interface WorldOptions {
  subaccounts: number;
  /** Milliseconds added to each exchange with a service. */
  delays?: Partial<Record<Service, number>>;
}

export const PUBLIC_URL = "https://tollbreaker.example.com";
const TOKEN_PARAMETER = "/bench/twilio-auth-token";

/** What the functions talk to: emulators, a simulated Twilio where nothing happens by itself, and proxies before them. */
export async function startWorld({ subaccounts, delays = {} }: WorldOptions): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-bench-"));
  const closers = [() => rm(dataDir, { recursive: true, force: true })];
  const opened = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    closers.unshift(() => part.close());
    return part;
  };
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };

  try {
    const aws = await opened(startLocalAws({ dataDir }));
    const simulator = await opened(startQuietTwilio(subaccounts));
    const parameters = await opened(startParameterStore({ [TOKEN_PARAMETER]: simulator.parent().authToken }));
    const proxies = {
      twilio: await opened(startProxy(simulator.url, delays.twilio)),
      sqs: await opened(startProxy(aws.messagingUrl, delays.sqs)),
      dynamodb: await opened(startProxy(aws.dynamoUrl, delays.dynamodb)),
    };
    return {
      environment: { ...environmentOf(aws, simulator, proxies), AWS_ENDPOINT_URL_SSM: parameters.url, HOME: dataDir },
      inbox: { endpoint: aws.messagingUrl, queueUrl: aws.inboxUrl },
      accounts: simulator.subaccounts(),
      proxies,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A simulated Twilio where nothing happens by itself. */
export function startQuietTwilio(subaccounts: number): Promise<TwilioSimulator> {
  return startTwilioSimulator({ subaccounts, ordinaryTraffic: false, trafficEveryMs: 0, evaluateEveryMs: 0 });
}

function environmentOf(aws: LocalAws, simulator: TwilioSimulator, { twilio, sqs, dynamodb }: World["proxies"]) {
  // The SDK talks to the host that a queue's URL names.
  const queue = (url: string) => url.replace(aws.messagingUrl, sqs.url);
  return {
    ...LOCAL_CREDENTIALS,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_ENDPOINT_URL_SNS: aws.messagingUrl,
    PUBLIC_URL,
    TWILIO_API_URL: twilio.url,
    TWILIO_ACCOUNT_SID: simulator.parent().accountSid,
    TWILIO_AUTH_TOKEN_PARAMETER: TOKEN_PARAMETER,
    SLACK_WEBHOOK_URL_PARAMETER: "/bench/slack-webhook-url",
    OPERATORS_PARAMETER: "/bench/operators",
    TABLE_NAME: aws.tableName,
    INBOX_QUEUE_URL: queue(aws.inboxUrl),
    NOTIFY_QUEUE_URL: queue(aws.notifyUrl),
    SWEEP_QUEUE_URL: queue(aws.sweepUrl),
    ALERTS_TOPIC_ARN: aws.topicArn,
  };
}
