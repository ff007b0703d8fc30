import { SQSClient } from "@aws-sdk/client-sqs";
import { serve } from "@hono/node-server";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { sqsInbox } from "../../lib/inbox/inbox.ts";
import { jsonLog } from "../../lib/log.ts";
import type { ErrorRule } from "../../lib/policy/policy.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { errorCounter } from "../../lib/webhooks/count-errors.ts";
import { errorWebhooks } from "../../lib/webhooks/error-webhooks.ts";
import { errorWindows } from "../../lib/webhooks/error-windows.ts";
import { signingTokens } from "../../lib/webhooks/signing-tokens.ts";
import { windowStore } from "../../lib/webhooks/window-store.ts";
import { listening } from "../../local/listening.ts";
import type { EmptyTable } from "./empty-table.ts";
import { DEBUGGER_PATH, debuggerForm, EVENT_STREAMS_PATH, type SignedEvents, signedEvents } from "./signed-errors.ts";
import { type Pairs, signedPost } from "./signed-webhook.ts";
import { PUBLIC_URL, type Surroundings } from "./webhook-server.ts";

export interface ErrorWebhookOptions {
  rules: Readonly<Record<string, ErrorRule>>;
  clock?: Clock;
  log?: string[];
}

export type ErrorWebhook = Awaited<ReturnType<typeof startErrorWebhook>>;

/** Both roads of errors behind a real HTTP server, as handlers/debugger.ts builds them, with rules and a clock of the test's. */
export async function startErrorWebhook(
  { environment, parent }: Surroundings,
  table: EmptyTable,
  { rules, clock = systemClock, log: lines = [] }: ErrorWebhookOptions,
) {
  const log = jsonLog((line) => lines.push(line));
  const authToken = async () => parent.authToken;
  const twilio = twilioClient({ accountSid: parent.accountSid, authToken, apiUrl: environment.TWILIO_API_URL });
  const sqs = new SQSClient({
    endpoint: environment.AWS_ENDPOINT_URL_SQS,
    region: environment.AWS_REGION,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  const inbox = sqsInbox(sqs, environment.INBOX_QUEUE_URL);
  const windows = errorWindows({ store: windowStore(table.client, table.tableName), inbox, clock, log });
  const app = errorWebhooks({
    publicUrl: PUBLIC_URL,
    parentSid: parent.accountSid,
    tokens: signingTokens({ twilio, parentToken: authToken, clock, log }),
    counter: errorCounter({ rules, windows, inbox, clock, log }),
    clock,
    log,
  });
  const server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));

  const post = (authToken: string, form: Pairs) =>
    fetch(server.url + DEBUGGER_PATH, signedPost({ authToken, url: PUBLIC_URL + DEBUGGER_PATH, form }));
  return {
    url: server.url,
    app,
    post,
    /** One error by the debugger, signed by its account. */
    debug: (
      { accountSid, authToken }: { accountSid: string; authToken: string },
      payload: unknown,
      changes: Parameters<typeof debuggerForm>[2] = {},
    ) => post(authToken, debuggerForm(accountSid, payload, changes)),
    /** Events by Event Streams. */
    stream(authToken: string, events: unknown, changes: Partial<SignedEvents> = {}) {
      const { query, init } = signedEvents({ authToken, url: PUBLIC_URL + EVENT_STREAMS_PATH, events, ...changes });
      return fetch(server.url + EVENT_STREAMS_PATH + query, init);
    },
    async close() {
      await server.close();
      sqs.destroy();
    },
  };
}
