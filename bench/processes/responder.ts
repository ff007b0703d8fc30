import { pathToFileURL } from "node:url";
import { SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { startPump } from "../../local/pump.ts";

/**
 * The built responder behind its two queues, as serverless.yml has it. Argument: the plan as JSON. Says when it is ready; a
 * message lets it finish what it is at, and is answered then.
 */
const Queue = z.object({ endpoint: z.string(), queueUrl: z.string() });
const Plan = z.object({
  respond: z.string(),
  inbox: Queue,
  followUps: Queue,
  /** How many invocations take from the inbox at once: the param `responders`. */
  responders: z.number(),
});

const TIMEOUT_MS = 25_000;
const FOLLOW_UP_WORKERS = 2;

const { respond, inbox, followUps, responders } = z.parse(Plan, JSON.parse(process.argv[2] ?? ""));
const { handler } = await import(pathToFileURL(respond).href);

const pumpOf = ({ endpoint, queueUrl }: z.infer<typeof Queue>, workers: number) =>
  startPump({ sqs: new SQSClient({ endpoint }), queueUrl, timeoutMs: TIMEOUT_MS, workers, handler });
const pumps = [pumpOf(inbox, responders), pumpOf(followUps, FOLLOW_UP_WORKERS)];

process.on("message", async () => {
  await Promise.all(pumps.map((pump) => pump.stop()));
  process.send?.("stopped");
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
