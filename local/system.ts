import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { canonicalUrl } from "../lib/config.ts";
import { TollbreakerError } from "../lib/errors.ts";
import { loadPolicy } from "../lib/policy/load-policy.ts";
import { LOCAL_CREDENTIALS, type LocalAws, startLocalAws } from "./aws.ts";
import { armDebugger } from "./debugger.ts";
import { armEventStreams } from "./event-streams.ts";
import { listening } from "./listening.ts";
import { keepLocalOperator } from "./operators.ts";
import { startPump } from "./pump.ts";
import { startSlackPrinter } from "./slack-printer.ts";
import { startSweepTimer } from "./sweep-timer.ts";
import { armSubaccounts } from "./triggers.ts";
import { type SimulatorOptions, startTwilioSimulator, type TwilioSimulator } from "./twilio/simulator.ts";

/**
 * Everything on one machine, in one process: the very handlers that run on Lambda, against emulators of DynamoDB, SQS
 * and SNS, and a simulated Twilio unless the environment names a real one.
 */
export interface System {
  /** The app: webhooks and operator API. */
  url: string;
  publicUrl: string;
  /** Undefined when the environment names a Twilio account. */
  simulator: TwilioSimulator | undefined;
  /** A token for the operator API; undefined when OPERATORS or OPERATORS_FILE was set. */
  operatorToken: string | undefined;
  slackIsPrinted: boolean;
  aws: LocalAws;
  /** Finishes what is being handled, then closes everything. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface SystemOptions {
  /** The variables of docs/configuration.md. */
  environment: Environment;
  dataDir: string;
  /** 0 takes any free port. */
  port: number;
  simulator?: SimulatorOptions;
  visibilitySeconds?: number;
  /** Where to reach an emulator, when something is put in between. */
  via?: (service: "dynamodb" | "sqs" | "sns", url: string) => Promise<string>;
  /** Called with the lines of each Slack message when no SLACK_WEBHOOK_URL is set. */
  print: (lines: string[]) => void;
}

/** Time-outs of the functions in serverless.yml. */
const RESPOND_TIMEOUT_MS = 25_000;
const NOTIFY_TIMEOUT_MS = 30_000;
const SWEEP_TIMEOUT_MS = 60_000;
/** As on AWS. */
const SWEEP_SECONDS = 300;

/** One in a process: the handlers read the process's environment once, when they are loaded. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { environment, dataDir } = options;
  const closers: (() => Promise<void>)[] = [];
  const opened = <T extends { close(): Promise<void> }>(part: T): T => {
    closers.unshift(() => part.close());
    return part;
  };
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };

  try {
    await mkdir(dataDir, { recursive: true });
    const aws = opened(await startLocalAws({ dataDir, ...visibility(options) }));
    const simulator = environment["TWILIO_ACCOUNT_SID"] ? undefined : opened(await startSimulator(options));
    const isSlackGiven =
      environment["SLACK_WEBHOOK_URL"] || (environment["SLACK_BOT_TOKEN"] && environment["SLACK_CHANNEL"]);
    const slack = isSlackGiven ? undefined : opened(await startSlackPrinter(options.print));
    const ownOperators = environment["OPERATORS"] || environment["OPERATORS_FILE"];
    const localOperator = ownOperators ? undefined : await keepLocalOperator(dataDir);
    const operatorToken = localOperator?.token;

    // The server is up before the handlers know its address: PUBLIC_URL may be the port that was free.
    const app = new Hono();
    const server = opened(await listening(serve({ fetch: app.fetch, port: options.port, hostname: "127.0.0.1" })));
    const publicUrl = canonicalUrl(environment["PUBLIC_URL"] || server.url);

    Object.assign(process.env, environment, LOCAL_CREDENTIALS, await addresses(aws, options), {
      PUBLIC_URL: publicUrl,
      ...(simulator && twilioOf(simulator)),
      ...(slack && { SLACK_WEBHOOK_URL: slack.url }),
      ...(localOperator && { OPERATORS: "", OPERATORS_FILE: localOperator.file }),
    });
    const handlers = await loadHandlers();
    app.route("/", handlers.usageTrigger.app);
    app.route("/", handlers.debugger.app);
    app.route("/", handlers.operatorApi.app);
    app.route("/", handlers.slack.app);

    const sqs = new SQSClient({ endpoint: aws.messagingUrl, region: LOCAL_CREDENTIALS.AWS_REGION });
    const pumps = [
      startPump({
        sqs,
        queueUrl: aws.inboxUrl,
        handler: handlers.respond.handler,
        timeoutMs: RESPOND_TIMEOUT_MS,
        workers: 4,
      }),
      startPump({
        sqs,
        queueUrl: aws.followUpUrl,
        handler: handlers.respond.handler,
        timeoutMs: RESPOND_TIMEOUT_MS,
        workers: 2,
      }),
      startPump({
        sqs,
        queueUrl: aws.notifyUrl,
        handler: handlers.notify.handler,
        timeoutMs: NOTIFY_TIMEOUT_MS,
        workers: 1,
        unwrap: perProtocol,
      }),
      startPump({
        sqs,
        queueUrl: aws.sweepUrl,
        handler: handlers.sweepShard.handler,
        timeoutMs: SWEEP_TIMEOUT_MS,
        workers: 1,
      }),
    ];
    closers.unshift(async () => {
      await Promise.all(pumps.map((pump) => pump.stop()));
      sqs.destroy();
    });
    if (simulator !== undefined) {
      await armSubaccounts({ simulator, policy: loadPolicy(process.env), publicUrl });
      armDebugger(simulator, publicUrl);
      await armEventStreams(simulator, publicUrl);
    }
    const timer = startSweepTimer({
      handler: handlers.sweep.handler,
      seconds: sweepSeconds(environment),
      timeoutMs: SWEEP_TIMEOUT_MS,
    });
    closers.unshift(() => timer.stop());

    return { url: server.url, publicUrl, simulator, operatorToken, slackIsPrinted: slack !== undefined, aws, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws TollbreakerError `config-invalid` for a SWEEP_SECONDS that is no number of seconds. */
function sweepSeconds(environment: Environment): number {
  const given = environment["SWEEP_SECONDS"];
  if (!given) return SWEEP_SECONDS;
  const seconds = Number(given);
  if (Number.isFinite(seconds) && seconds >= 1) return seconds;
  throw new TollbreakerError("config-invalid", "The configuration cannot be used: SWEEP_SECONDS.", {
    expected: "a number of seconds, 1 or more, such as 300",
    got: JSON.stringify(given),
    fix: "correct SWEEP_SECONDS, or leave it out",
  });
}

function visibility({ visibilitySeconds }: SystemOptions) {
  return visibilitySeconds === undefined ? {} : { visibilitySeconds };
}

async function startSimulator({ simulator, dataDir }: SystemOptions): Promise<TwilioSimulator> {
  return startTwilioSimulator({ dataFile: join(dataDir, "twilio.json"), ...simulator });
}

async function addresses(aws: LocalAws, { via = async (_, url) => url }: SystemOptions) {
  const sqsUrl = await via("sqs", aws.messagingUrl);
  // The SDK talks to the host that a queue's URL names, whatever AWS_ENDPOINT_URL_SQS says.
  const queue = (url: string) => url.replace(aws.messagingUrl, sqsUrl);
  return {
    AWS_ENDPOINT_URL_DYNAMODB: await via("dynamodb", aws.dynamoUrl),
    AWS_ENDPOINT_URL_SQS: sqsUrl,
    AWS_ENDPOINT_URL_SNS: await via("sns", aws.messagingUrl),
    TABLE_NAME: aws.tableName,
    INBOX_QUEUE_URL: queue(aws.inboxUrl),
    NOTIFY_QUEUE_URL: queue(aws.notifyUrl),
    SWEEP_QUEUE_URL: queue(aws.sweepUrl),
    FOLLOW_UP_QUEUE_URL: queue(aws.followUpUrl),
    FOLLOW_UP_DEAD_LETTERS_URL: queue(aws.followUpDeadLettersUrl),
    ALERTS_TOPIC_ARN: aws.topicArn,
  };
}

function twilioOf({ url, parent }: TwilioSimulator) {
  const { accountSid, authToken } = parent();
  return { TWILIO_API_URL: url, TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken };
}

// Not imported above: each reads its configuration when it is loaded.
async function loadHandlers() {
  const [usageTrigger, debuggerHandler, operatorApi, respond, notify, slack, sweep, sweepShard] = await Promise.all([
    import("../handlers/usage-trigger.ts"),
    import("../handlers/debugger.ts"),
    import("../handlers/operator-api.ts"),
    import("../handlers/respond.ts"),
    import("../handlers/notify.ts"),
    import("../handlers/slack.ts"),
    import("../handlers/sweep.ts"),
    import("../handlers/sweep-shard.ts"),
  ]);
  return { usageTrigger, debugger: debuggerHandler, operatorApi, respond, notify, slack, sweep, sweepShard };
}

// SNS gives each protocol its own form of a message (MessageStructure=json); the emulator passes all of them on.
function perProtocol(body: string): string {
  const forms: unknown = JSON.parse(body);
  const isAllForms = typeof forms === "object" && forms !== null && "default" in forms;
  if (!isAllForms) return body;
  const form = "sqs" in forms ? forms.sqs : forms.default;
  return typeof form === "string" ? form : body;
}
