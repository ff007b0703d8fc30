import { pathToFileURL } from "node:url";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import * as z from "zod/mini";
import { readMessage } from "../../lib/inbox/inbox.ts";
import { isSignal, type Signal } from "../../lib/inbox/messages.ts";
import { startPump } from "../../local/pump.ts";
import { type Account, lambdaEvent, signedFiring } from "../firing.ts";
import { monotonicMs } from "../monotonic.ts";
import { PUBLIC_URL } from "../world.ts";

/**
 * Drives the built webhook of usage triggers and the built responder, which also gets what others put into the inbox.
 * Argument: the plan as JSON. A message names the account whose spend fires, and is answered when the responder has
 * dealt with that; or the account whose messages so far it wants the kinds of.
 */
const Plan = z.object({
  usageTrigger: z.string(),
  respond: z.string(),
  inbox: z.object({ endpoint: z.string(), queueUrl: z.string() }),
});
const FullAccount = z.object({ accountSid: z.string(), authToken: z.string() });
const Message = z.object({ message: z.union([z.object({ fire: FullAccount }), z.object({ kindsOf: FullAccount })]) });

/** The responder's time-out in serverless.yml. */
const TIMEOUT_MS = 25_000;

const { usageTrigger, respond, inbox } = z.parse(Plan, JSON.parse(process.argv[2] ?? ""));
const webhook = await import(pathToFileURL(usageTrigger).href);
const responder = await import(pathToFileURL(respond).href);

const handled: Signal[] = [];
let afterEach = () => {};
startPump({
  sqs: new SQSClient({ endpoint: inbox.endpoint }),
  queueUrl: inbox.queueUrl,
  timeoutMs: TIMEOUT_MS,
  workers: 1,
  async handler(event: SQSEvent, context) {
    const result = await responder.handler(event, context);
    if (result.batchItemFailures.length > 0) throw new Error("The responder did not finish a message.");
    handled.push(...event.Records.map(({ body }) => readMessage(body)).filter(isSignal));
    afterEach();
    return result;
  },
});

process.on("message", async (sent) => {
  const { message } = z.parse(Message, sent);
  process.send?.("fire" in message ? await fire(message.fire) : kindsOf(message.kindsOf));
});
process.on("disconnect", () => process.exit(0));

async function fire(account: Account): Promise<{ begun: number }> {
  const done = Promise.withResolvers<void>();
  afterEach = () => {
    if (kindsOf(account).includes("usage-trigger")) done.resolve();
  };
  const begun = monotonicMs();
  const { statusCode } = await webhook.handler(lambdaEvent(signedFiring(account, PUBLIC_URL)), {});
  if (statusCode !== 204) throw new Error(`The webhook answered ${statusCode} instead of 204.`);
  await done.promise;
  return { begun };
}

function kindsOf(account: Account): string[] {
  return handled.filter(({ accountSid }) => accountSid === account.accountSid).map(({ kind }) => kind);
}
