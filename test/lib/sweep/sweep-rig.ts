import { setImmediate as nextTurn } from "node:timers/promises";
import { SNSClient } from "@aws-sdk/client-sns";
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message as SqsMessage,
} from "@aws-sdk/client-sqs";
import type { Notice } from "../../../lib/alerts/notice.ts";
import { snsPublisher } from "../../../lib/alerts/publish.ts";
import { systemClock } from "../../../lib/clock.ts";
import { sqsInbox } from "../../../lib/inbox/inbox.ts";
import { dynamoIncidentReader } from "../../../lib/incidents/dynamo-reader.ts";
import { jsonLog } from "../../../lib/log.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { memoryStore } from "../../../lib/sweep/memory-store.ts";
import { type Run, runStore } from "../../../lib/sweep/run-store.ts";
import { sampleStore } from "../../../lib/sweep/sample-store.ts";
import { readShard, type Shard } from "../../../lib/sweep/shard.ts";
import { sqsShardQueue } from "../../../lib/sweep/shard-queue.ts";
import { type Start, type Starter, startSweep } from "../../../lib/sweep/start-sweep.ts";
import { sweepShard } from "../../../lib/sweep/sweep-shard.ts";
import type { Sweeper } from "../../../lib/sweep/sweeper.ts";
import { twilioClient } from "../../../lib/twilio/client.ts";
import { policyOf } from "../../support/policies.ts";
import { PUBLIC_URL, type Rig, startRig } from "../../support/responder-rig.ts";

/** The sweep's real parts on loopback, beside the responder's. */
export interface SweepRig extends Rig {
  sweeper(changes?: Partial<Sweeper>): Sweeper;
  start(changes?: Partial<Sweeper>, beginning?: Pick<Starter, "table">): Promise<Start>;
  /** What waits in the queue of shards; taken from it. */
  shards(): Promise<Shard[]>;
  /** A whole sweep: begun, and each shard swept, one after the other. */
  sweep(changes?: Partial<Sweeper>, beginning?: Pick<Starter, "table">): Promise<Run>;
  /** What arrived behind the topic since the last time, that is no alert. */
  notices(): Promise<Notice[]>;
  /** Names of metrics that were emitted, with their values, since the last time. */
  metrics(): Record<string, number>;
}

export const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  sms-burst: { category: sms-outbound, by: count, every: day, at: 20000, then: suspend }
brake: { suspensions: 1000, within: 10m }
`);

const CREDENTIALS = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

export async function startSweepRig(policy: Policy = POLICY): Promise<SweepRig> {
  const rig = await startRig();
  const { aws, simulator, twilio, table } = rig;
  const endpoint = aws.messagingUrl;
  const [sqs, sns] = [new SQSClient({ ...CREDENTIALS, endpoint }), new SNSClient({ ...CREDENTIALS, endpoint })];
  const { accountSid, authToken } = simulator.parent();
  const lines: string[] = [];

  function sweeper(changes: Partial<Sweeper> = {}): Sweeper {
    return {
      twilio: twilioClient({ accountSid, authToken: async () => authToken, apiUrl: twilio.url }),
      runs: runStore(table, aws.tableName),
      memory: memoryStore(table, aws.tableName),
      samples: sampleStore(table, aws.tableName),
      inbox: sqsInbox(sqs, aws.inboxUrl),
      alerts: snsPublisher({ client: sns, topicArn: aws.topicArn }),
      policy,
      publicUrl: PUBLIC_URL,
      dailySummary: false,
      clock: systemClock,
      log: jsonLog((line) => lines.push(line)),
      ...changes,
    };
  }

  const start = (changes?: Partial<Sweeper>, beginning?: Pick<Starter, "table">) => {
    const incidents = dynamoIncidentReader(aws.tableName);
    const parts = { ...sweeper(changes), incidents, shards: sqsShardQueue(sqs, aws.sweepUrl), ...beginning };
    return startSweep(parts, parts.clock.now().getTime() + 50_000);
  };

  const shards = async () => (await drain(aws.sweepUrl)).map(({ Body = "" }) => readShard(Body));

  async function drain(QueueUrl: string): Promise<SqsMessage[]> {
    const all: SqsMessage[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return all;
      for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      all.push(...Messages);
    }
  }

  async function sweep(changes: Partial<Sweeper> = {}, beginning?: Pick<Starter, "table">): Promise<Run> {
    const started = await start(changes, beginning);
    if (started.kind !== "started") throw new Error(`the sweep was not started: ${JSON.stringify(started)}`);
    const worker = sweeper(changes);
    for (const shard of await shards()) await sweepShard(worker, shard, worker.clock.now().getTime() + 50_000);
    const run = await worker.runs.read();
    if (run === undefined) throw new Error("there is no sweep");
    return run;
  }

  return {
    ...rig,
    ...{ sweeper, start, shards, sweep, logged: lines },
    async notices() {
      const bodies = (await drain(aws.notifyUrl)).map(({ Body = "" }) => JSON.parse(JSON.parse(Body).sqs));
      return bodies.filter(({ about }) => about === "notice");
    },
    metrics() {
      const events = lines.splice(0).map((line) => JSON.parse(line));
      const named = events.flatMap(({ _aws, ...event }) =>
        _aws === undefined ? [] : [[_aws.CloudWatchMetrics[0].Metrics[0].Name, event] as const],
      );
      return Object.fromEntries(named.map(([name, event]) => [name, event[name]]));
    },
    async close() {
      sqs.destroy();
      sns.destroy();
      await rig.close();
    },
  };
}

/** A clock that is so many milliseconds ahead, and whose waiting takes no time. */
export function ahead(milliseconds: number): Sweeper["clock"] {
  let offset = milliseconds;
  return {
    now: () => new Date(Date.now() + offset),
    async sleep(waited) {
      offset += waited;
      await nextTurn();
    },
  };
}

export const MINUTE = 60_000;
