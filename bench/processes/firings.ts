import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { startPump } from "../../local/pump.ts";
import { lambdaEvent, signedFiring } from "../firing.ts";
import { monotonicMs } from "../monotonic.ts";
import { PUBLIC_URL } from "../world.ts";

/**
 * Drives built handlers, one firing after the other: the webhook, then what the inbox hands to the responder.
 * Argument: the plan as JSON. Reports on file descriptor 3 when each function was at work.
 */
const Plan = z.object({
  usageTrigger: z.string(),
  respond: z.string(),
  inbox: z.object({ endpoint: z.string(), queueUrl: z.string() }),
  accounts: z.array(z.object({ accountSid: z.string(), authToken: z.string() })),
});

/** The responder's time-out in serverless.yml. */
const TIMEOUT_MS = 25_000;

const { usageTrigger, respond, inbox, accounts } = z.parse(Plan, JSON.parse(process.argv[2] ?? ""));
const webhook = await import(pathToFileURL(usageTrigger).href);
const responder = await import(pathToFileURL(respond).href);

// The pump may be handed the message before the webhook has answered; the responder begins after it.
let answered = Promise.withResolvers<void>();
let handled = Promise.withResolvers<{ begun: number; ended: number }>();
const sqs = new SQSClient({ endpoint: inbox.endpoint });
const pump = startPump({
  sqs,
  queueUrl: inbox.queueUrl,
  timeoutMs: TIMEOUT_MS,
  workers: 1,
  async handler(event, context) {
    await answered.promise;
    const begun = monotonicMs();
    const result = await responder.handler(event, context);
    if (result.batchItemFailures.length > 0) handled.reject(new Error("The responder did not finish a message."));
    else handled.resolve({ begun, ended: monotonicMs() });
    return result;
  },
});

const firings: unknown[] = [];
for (const account of accounts) {
  answered = Promise.withResolvers();
  handled = Promise.withResolvers();
  const event = lambdaEvent(signedFiring(account, PUBLIC_URL));
  const begun = monotonicMs();
  const { statusCode } = await webhook.handler(event, {});
  const ended = monotonicMs();
  if (statusCode !== 204) throw new Error(`The webhook answered ${statusCode} instead of 204.`);
  answered.resolve();
  firings.push({ accountSid: account.accountSid, webhook: { begun, ended }, respond: await handled.promise });
}

writeSync(3, JSON.stringify(firings));
await pump.stop();
process.exit(0);
