import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { handler as begin } from "../../handlers/sweep.ts";
import { handler as work } from "../../handlers/sweep-shard.ts";
import { monotonicMs } from "../monotonic.ts";

/**
 * The sweep's two functions, warm, in one process: a message begins a sweep, of which as many shards are worked on at
 * once as Lambda would have workers. What it reports is of that sweep, but for the memory: the most of its life.
 */
const WORKERS = 2;
const TIMEOUT_MS = 60_000;

const QueueUrl = process.env["SWEEP_QUEUE_URL"] ?? "";
const sqs = new SQSClient({});
const context = () => {
  const ends = Date.now() + TIMEOUT_MS;
  return { getRemainingTimeInMillis: () => ends - Date.now() };
};

process.on("message", () => void sweep());
process.on("disconnect", () => process.exit(0));

async function sweep(): Promise<void> {
  const before = process.cpuUsage();
  const begun = monotonicMs();
  const started = await begin({}, context());
  if (started.kind !== "started") throw new Error(`The sweep was not started: ${JSON.stringify(started)}`);
  await Promise.all(Array.from({ length: WORKERS }, workOff));
  const milliseconds = monotonicMs() - begun;
  const { user, system } = process.cpuUsage(before);
  const megabytes = process.resourceUsage().maxRSS / 1024;
  process.send?.({ milliseconds, cpuMilliseconds: (user + system) / 1000, megabytes });
}

async function workOff(): Promise<void> {
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1 }));
    const [message] = Messages;
    if (message === undefined) return;
    const { batchItemFailures } = await work({ Records: [recordOf(message.Body ?? "")] }, context());
    if (batchItemFailures.length > 0) throw new Error("A shard was not swept.");
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
}

function recordOf(body: string) {
  const attributes = {
    ApproximateReceiveCount: "1",
    SentTimestamp: "",
    SenderId: "",
    ApproximateFirstReceiveTimestamp: "",
  };
  const source = { eventSource: "aws:sqs", eventSourceARN: "", awsRegion: "us-east-1", md5OfBody: "" };
  return { messageId: "a-shard", receiptHandle: "", body, attributes, messageAttributes: {}, ...source };
}
