import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { startFauxqs } from "fauxqs";
import { vi } from "vitest";
import { readMessage } from "../../lib/inbox/inbox.ts";
import type { Signal } from "../../lib/inbox/messages.ts";
import { isSignal } from "../../lib/inbox/messages.ts";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { listening } from "../../local/listening.ts";
import { quietSimulator } from "../local/twilio/api.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import { firing, type Pairs, signedPost, WEBHOOK_PATH } from "./signed-webhook.ts";

/** What the webhook's function needs, as real servers on loopback: SQS and Twilio, each behind a proxy that can fail. */
export type Surroundings = Awaited<ReturnType<typeof startSurroundings>>;

const QUEUE = "tollbreaker-inbox.fifo";
/** Nothing listens there: the signature is made over it, wherever the request arrives. */
export const PUBLIC_URL = "https://tollbreaker.example.com";

export async function startSurroundings() {
  const directory = mkdtempSync(join(tmpdir(), "tollbreaker-webhook-"));
  const logFile = join(directory, "log");
  const messaging = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  messaging.createQueue(QUEUE, {
    attributes: { FifoQueue: "true", DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" },
  });
  const sqs = await startFaultProxy(`http://127.0.0.1:${messaging.port}`);
  const simulator = await quietSimulator({ subaccounts: 0 });
  const twilio = await startFaultProxy(simulator.url);
  const parent = simulator.parent();
  const environment = {
    ...LOCAL_CREDENTIALS,
    LOG_FILE: logFile,
    PUBLIC_URL,
    TWILIO_API_URL: twilio.url,
    TWILIO_ACCOUNT_SID: parent.accountSid,
    TWILIO_AUTH_TOKEN: parent.authToken,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    INBOX_QUEUE_URL: `${sqs.url}/000000000000/${QUEUE}`,
  };

  return {
    ...{ simulator, twilio, sqs, parent, environment },
    /** The signals of `accountSid` that are in the inbox, in their order. */
    stored(accountSid: string): Signal[] {
      const ready = messaging.inspectQueue(QUEUE)?.messages.ready ?? [];
      return ready
        .map(({ body }) => readMessage(body))
        .filter(isSignal)
        .filter((signal) => signal.accountSid === accountSid);
    },
    logged: (): string[] => readLines(logFile),
    async close() {
      await Promise.all([sqs.close(), twilio.close(), simulator.close(), messaging.stop()]);
      rmSync(directory, { recursive: true });
    },
  };
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** The function as Lambda starts it: nothing remembered, its configuration read from the environment. */
export async function coldStart({ environment }: Surroundings, changes: Record<string, string> = {}) {
  Object.assign(process.env, environment, changes);
  vi.resetModules();
  return import("../../handlers/usage-trigger.ts");
}

export interface Webhook {
  /** Where the server listens, with the webhook's path. */
  url: string;
  /** Posts `form` to the server, signed over PUBLIC_URL. */
  post(authToken: string, form: Pairs): Promise<Response>;
  /** A genuine firing of `account`. */
  fire(account: { accountSid: string; authToken: string }, changes?: Parameters<typeof firing>[1]): Promise<Response>;
  close(): Promise<void>;
}

/** A cold start behind a real HTTP server. */
export async function startWebhook(surroundings: Surroundings): Promise<Webhook> {
  const { app } = await coldStart(surroundings);
  const server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
  const url = server.url + WEBHOOK_PATH;
  const post = (authToken: string, form: Pairs) =>
    fetch(url, signedPost({ authToken, url: PUBLIC_URL + WEBHOOK_PATH, form }));
  return {
    url,
    post,
    fire: ({ accountSid, authToken }, changes) => post(authToken, firing(accountSid, changes)),
    close: server.close,
  };
}
