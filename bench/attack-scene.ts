import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { type Inbox, sqsInbox } from "../lib/inbox/inbox.ts";
import { LOCAL_CREDENTIALS } from "../local/aws.ts";
import type { Bundles } from "./bundles.ts";
import { type Account, type Change, type SignedWebhook, signedFiring } from "./firing.ts";
import { type Conversation, converse } from "./processes/conversation.ts";
import { nextSuspendRequest } from "./suspend-request.ts";
import { PUBLIC_URL, startWorld, type World } from "./world.ts";

const DOOR = fileURLToPath(new URL("./processes/door.ts", import.meta.url));
const RESPONDER = fileURLToPath(new URL("./processes/responder.ts", import.meta.url));

/** What Twilio takes for an answer. */
const TWILIO_MS = 150;
const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };
/** Beyond this a suspension is not late but lost. */
const LONGEST_MS = 240_000;

export interface Scheduled {
  /** Milliseconds after the schedule begins. */
  atMs: number;
  /** How often it is sent again when the answer is 503. */
  retries: number;
  webhook: SignedWebhook;
}

/**
 * The built webhook and the built responder, with both queues between them and a Twilio of 150 ms behind. The webhook has two
 * processes, so that what is measured does not wait where a flood is taken in: Lambda gives each request a function of its own.
 */
export interface AttackScene {
  world: World;
  /** Past the proxies. */
  inbox: Inbox;
  nextAccount(): Account;
  /** Sends webhooks as scheduled. @returns what became of each, in the same order */
  send(schedule: readonly Scheduled[]): Promise<Sent[]>;
  /** The same, through the other process. */
  flood(schedule: readonly Scheduled[]): Promise<Sent[]>;
  /** @returns milliseconds from `begun` to the request that suspends the account; waits for it. */
  suspendedAfter(account: Account, begun: number): Promise<number>;
  /** Resolves when nothing waits in the inbox. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export interface SceneOptions {
  subaccounts: number;
  /** 2, as in the template, when left out. */
  responders?: number;
  /** What the responder finds in its environment instead. */
  environment?: Record<string, string>;
}

export async function setAttackScene(bundles: Bundles, options: SceneOptions): Promise<AttackScene> {
  const { subaccounts, responders = 2 } = options;
  const world = await startWorld({ subaccounts, delays: { twilio: TWILIO_MS } });
  const { inbox, followUps, proxies } = world;
  // Past the proxy: nobody counts what goes to SQS, and a flood has to get through.
  const sqsOfItsOwn = { AWS_ENDPOINT_URL_SQS: inbox.endpoint, INBOX_QUEUE_URL: inbox.queueUrl };
  const environment = { ...world.environment, ...sqsOfItsOwn };
  const parameters = [bundles.handlers["usage-trigger"] ?? ""];
  const [door, floodgate] = [
    converse({ script: DOOR, parameters, environment }),
    converse({ script: DOOR, parameters, environment }),
  ];
  const plan = { respond: bundles.handlers["respond"], inbox, followUps, responders };
  const responder = converse({
    script: RESPONDER,
    parameters: [JSON.stringify(plan)],
    environment: { ...world.environment, ...options.environment },
  });
  await responder.hear();
  const accounts = world.accounts.values();
  const sqs = new SQSClient({
    endpoint: inbox.endpoint,
    region: LOCAL_CREDENTIALS.AWS_REGION,
    credentials: CREDENTIALS,
  });
  return {
    world,
    inbox: sqsInbox(sqs, inbox.queueUrl),
    nextAccount() {
      const { value } = accounts.next();
      if (value === undefined) throw new RangeError("The simulated Twilio has too few subaccounts.");
      return value;
    },
    send: (schedule) => sendThrough(door, schedule),
    flood: (schedule) => sendThrough(floodgate, schedule),
    async suspendedAfter({ accountSid }, begun) {
      const after = (await nextSuspendRequest(accountSid, proxies.twilio, LONGEST_MS)).begun - begun;
      if (after < 0) throw new RangeError("An account was suspended for something else than what was measured.");
      return after;
    },
    async quiet() {
      while (world.inboxDepth() > 0) await sleep(20);
    },
    async close() {
      // An emulator that is closed while somebody writes to it ends the whole bench.
      await responder.ask("stop");
      door.close();
      floodgate.close();
      responder.close();
      sqs.destroy();
      await world.close();
    },
  };
}

const Sent = z.object({
  /** When it reached the webhook. */
  begun: z.number(),
  /** False where Twilio would have given up. */
  isStored: z.boolean(),
});
type Sent = z.infer<typeof Sent>;

async function sendThrough(door: Conversation, schedule: readonly Scheduled[]): Promise<Sent[]> {
  return z.parse(z.array(Sent), await door.ask(schedule));
}

/** @returns milliseconds from the webhook of a genuine firing to the suspend request, where nothing else is under way. */
export async function fireAlone(scene: AttackScene): Promise<number> {
  await scene.quiet();
  const account = scene.nextAccount();
  const [sent] = await scene.send([genuine(account, 0)]);
  return scene.suspendedAfter(account, begunOf(sent));
}

/** @throws RangeError where nothing was sent */
export function begunOf(sent: Sent | undefined): number {
  if (sent === undefined) throw new RangeError("No webhook was sent.");
  return sent.begun;
}

/** As often as Twilio sends a usage trigger's webhook again. */
const RETRIES = 3;

/** A firing of the limit that suspends. */
export function genuine(account: Account, atMs: number): Scheduled {
  return { atMs, retries: RETRIES, webhook: signedFiring(account, PUBLIC_URL, { limit: "daily-spend" }) };
}

/** What the holder of the account's token signed. Whether it is stored is no matter. */
export function forged(account: Account, atMs: number, change: Change): Scheduled {
  return { atMs, retries: 0, webhook: signedFiring(account, PUBLIC_URL, change) };
}
