import { pathToFileURL } from "node:url";
import { SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { startPump } from "../../local/pump.ts";

/** The built responder behind its two queues, as serverless.yml has it. Argument: the plan as JSON. Runs until it is let go. */
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

for (const [{ endpoint, queueUrl }, workers] of [[inbox, responders] as const, [followUps, FOLLOW_UP_WORKERS] as const])
  startPump({ sqs: new SQSClient({ endpoint }), queueUrl, timeoutMs: TIMEOUT_MS, workers, handler });

process.on("disconnect", () => process.exit(0));
process.send?.("ready");
