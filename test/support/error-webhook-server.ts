import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { vi } from "vitest";
import { listening } from "../../local/listening.ts";
import type { EmptyTable } from "./empty-table.ts";
import { DEBUGGER_PATH, debuggerForm, EVENT_STREAMS_PATH, type SignedEvents, signedEvents } from "./signed-errors.ts";
import { type Pairs, signedPost } from "./signed-webhook.ts";
import { PUBLIC_URL, type Surroundings } from "./webhook-server.ts";

export type ErrorWebhook = Awaited<ReturnType<typeof startErrorWebhook>>;

interface Account {
  accountSid: string;
  authToken: string;
}

/** A cold start of the function that takes errors, with `policy` as its policy file, behind a real HTTP server. */
export async function startErrorWebhook({ environment }: Surroundings, table: EmptyTable, policy: string) {
  const directory = mkdtempSync(join(tmpdir(), "tollbreaker-policy-"));
  const policyFile = join(directory, "policy.yml");
  writeFileSync(policyFile, policy);
  Object.assign(process.env, environment, {
    AWS_ENDPOINT_URL_DYNAMODB: table.proxy.url,
    TABLE_NAME: table.tableName,
    POLICY_FILE: policyFile,
  });
  vi.resetModules();
  const { app, handler } = await import("../../handlers/debugger.ts");
  const server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));

  const post = (authToken: string, form: Pairs) =>
    fetch(server.url + DEBUGGER_PATH, signedPost({ authToken, url: PUBLIC_URL + DEBUGGER_PATH, form }));
  return {
    url: server.url,
    app,
    handler,
    post,
    /** One error by the debugger, signed by its account. */
    debug: ({ accountSid, authToken }: Account, payload: unknown, changes: Parameters<typeof debuggerForm>[2] = {}) =>
      post(authToken, debuggerForm(accountSid, payload, changes)),
    /** Events by Event Streams. */
    stream(authToken: string, events: unknown, changes: Partial<SignedEvents> = {}) {
      const { query, init } = signedEvents({ authToken, url: PUBLIC_URL + EVENT_STREAMS_PATH, events, ...changes });
      return fetch(server.url + EVENT_STREAMS_PATH + query, init);
    },
    async close() {
      await server.close();
      rmSync(directory, { recursive: true });
    },
  };
}
