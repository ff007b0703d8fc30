import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import { loadPolicy } from "../lib/policy/load-policy.ts";
import { LOCAL_CREDENTIALS, startLocalAws } from "../local/aws.ts";
import type { Effort } from "./effort.ts";
import { converse } from "./processes/conversation.ts";
import { startProxy } from "./proxy.ts";
import { type Row, row } from "./row.ts";
import { startScriptedTwilio } from "./scripted-twilio.ts";
import { PUBLIC_URL } from "./world.ts";

const PROCESS = fileURLToPath(new URL("./processes/sweep.ts", import.meta.url));
/** One account of ten spends between two sweeps, and is written down. */
const EVERY_SPENDS = 10;

const Report = z.object({ milliseconds: z.number(), cpuMilliseconds: z.number(), megabytes: z.number() });

interface Swept extends z.infer<typeof Report> {
  subaccounts: number;
  /** To Twilio. */
  requests: { count: number; mostAtOnce: number };
  storeRequests: number;
}

/** Sweeps of few and of many armed subaccounts: what one costs must not depend on how many there are. */
export async function measureSweep({ fewSubaccounts, manySubaccounts }: Effort): Promise<Row[]> {
  const few = await sweepOf(fewSubaccounts);
  const many = await sweepOf(manySubaccounts);
  const name = `a sweep of ${fewSubaccounts.toLocaleString("en")}`;
  const measure = (what: string) => `sweep of ${many.subaccounts.toLocaleString("en")} subaccounts: ${what}`;
  const each = (part: (swept: Swept) => number) => ({
    ours: part(many) / many.subaccounts,
    peer: { name, value: part(few) / few.subaccounts },
  });
  return [
    row({
      measure: measure("to Twilio for each"),
      unit: "requests",
      ours: many.requests.count / many.subaccounts,
      aim: { atMost: 1.01 },
    }),
    row({ measure: measure("to Twilio at once, at most"), unit: "requests", ours: many.requests.mostAtOnce }),
    row({ measure: measure("to the store, in all"), unit: "requests", ours: many.storeRequests }),
    row({
      measure: measure("time for each"),
      unit: "µs",
      ...each((swept) => 1000 * swept.milliseconds),
      aim: { atMost: 1.25 },
    }),
    row({ measure: measure("own work for each"), unit: "µs", ...each((swept) => 1000 * swept.cpuMilliseconds) }),
    row({
      measure: measure("memory"),
      unit: "MB",
      ours: many.megabytes,
      peer: { name, value: few.megabytes },
      aim: { atMost: 1.5 },
    }),
  ];
}

/** The second sweep of its life: the first one remembers every account. */
async function sweepOf(subaccounts: number): Promise<Swept> {
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-bench-"));
  const closers = [() => rm(dataDir, { recursive: true, force: true })];
  const opened = async <T extends { close(): Promise<void> | void }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    closers.unshift(async () => part.close());
    return part;
  };
  try {
    const aws = await opened(startLocalAws({ dataDir }));
    const store = await opened(startProxy(aws.dynamoUrl));
    const script = { subaccounts, everySpends: EVERY_SPENDS, policy: loadPolicy({}), publicUrl: PUBLIC_URL };
    const twilio = await opened(startScriptedTwilio(script));
    const environment = environmentOf({ ...aws, dynamoUrl: store.url }, twilio);
    const sweeper = await opened(Promise.resolve(converse({ script: PROCESS, parameters: [], environment })));
    await sweeper.ask("sweep");
    twilio.requests();
    const before = store.exchanges.length;
    const report = z.parse(Report, await sweeper.ask("sweep"));
    const requests = twilio.requests();
    if (requests.count < subaccounts) throw notAll(subaccounts, requests.count);
    return { ...report, subaccounts, requests, storeRequests: store.exchanges.length - before };
  } finally {
    for (const closer of closers) await closer();
  }
}

type Aws = Pick<
  Awaited<ReturnType<typeof startLocalAws>>,
  "dynamoUrl" | "messagingUrl" | "tableName" | "inboxUrl" | "sweepUrl" | "topicArn"
>;

function environmentOf(aws: Aws, twilio: { url: string; parentSid: string }): Record<string, string> {
  return {
    ...LOCAL_CREDENTIALS,
    AWS_ENDPOINT_URL_DYNAMODB: aws.dynamoUrl,
    AWS_ENDPOINT_URL_SQS: aws.messagingUrl,
    AWS_ENDPOINT_URL_SNS: aws.messagingUrl,
    PUBLIC_URL,
    TWILIO_API_URL: twilio.url,
    TWILIO_ACCOUNT_SID: twilio.parentSid,
    TWILIO_AUTH_TOKEN: "0".repeat(32),
    TABLE_NAME: aws.tableName,
    INBOX_QUEUE_URL: aws.inboxUrl,
    SWEEP_QUEUE_URL: aws.sweepUrl,
    ALERTS_TOPIC_ARN: aws.topicArn,
    LOG_FILE: "/dev/null",
  };
}

function notAll(subaccounts: number, requests: number): TollbreakerError {
  return new TollbreakerError("bench-sweep-incomplete", "A sweep did not read every subaccount.", {
    expected: `at least ${subaccounts} requests to Twilio`,
    got: String(requests),
    fix: "npm test -- test/faults/sweep.test.ts shows what is wrong",
  });
}
