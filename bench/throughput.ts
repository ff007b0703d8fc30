import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import type { TwilioSimulator } from "../local/twilio/simulator.ts";
import type { Effort } from "./effort.ts";
import { type Account, type SignedWebhook, signedFiring, WEBHOOK_PATH } from "./firing.ts";
import { median } from "./median.ts";
import { converse } from "./processes/conversation.ts";
import { type Row, row } from "./row.ts";
import { PUBLIC_URL, startQuietTwilio } from "./world.ts";

const AT_ONCE = 8;
const OURS = fileURLToPath(new URL("./processes/our-webhook.ts", import.meta.url));
const EXPRESS = fileURLToPath(new URL("./processes/express-webhook.ts", import.meta.url));

/**
 * Webhooks that are verified in one second of processor time, both over real HTTP connections that are kept open.
 * Processor time rather than the clock's, because the sender needs a core, too, and others may use the machine.
 */
export async function measureThroughput({ rounds, webhooks }: Effort): Promise<Row[]> {
  const twilio = await startQuietTwilio(0);
  const ours = await startServer(OURS, twilio);
  const express = await startServer(EXPRESS, twilio);
  try {
    for (const server of [ours, express]) await checkThatItVerifies(server);
    const rates = await ratesInTurn({ ours, express }, rounds, webhooks);
    const peer = { name: "twilio.webhook() in Express", value: median(rates.express) };
    return [row({ measure: "webhooks verified on one core", unit: "per CPU second", ours: median(rates.ours), peer })];
  } finally {
    ours.close();
    express.close();
    await twilio.close();
  }
}

async function ratesInTurn(servers: { ours: Server; express: Server }, rounds: number, webhooks: number) {
  const rates: { ours: number[]; express: number[] } = { ours: [], express: [] };
  for (const server of [servers.ours, servers.express]) await rate(server, webhooks);
  for (let round = 0; round < rounds; round++) {
    rates.ours.push(await rate(servers.ours, webhooks));
    rates.express.push(await rate(servers.express, webhooks));
  }
  return rates;
}

async function rate(server: Server, webhooks: number): Promise<number> {
  const signed = signedFiring(server.parent, PUBLIC_URL);
  const atOnce = pLimit(AT_ONCE);
  const before = await server.cpuMicroseconds();
  await Promise.all(Array.from({ length: webhooks }, () => atOnce(() => expectAnswer(server, signed, 204))));
  return webhooks / (((await server.cpuMicroseconds()) - before) / 1e6);
}

async function checkThatItVerifies(server: Server): Promise<void> {
  await expectAnswer(server, signedFiring(server.parent, PUBLIC_URL), 204);
  await expectAnswer(server, signedFiring({ ...server.parent, authToken: "forged" }, PUBLIC_URL), 403);
}

async function expectAnswer({ agent, port }: Server, { body, headers }: SignedWebhook, status: number): Promise<void> {
  const length = { "content-length": Buffer.byteLength(body) };
  const post = request({ agent, port, method: "POST", path: WEBHOOK_PATH, headers: { ...headers, ...length } });
  const [answer] = await once(post.end(body), "response");
  answer.resume();
  await once(answer, "end");
  if (answer.statusCode !== status) throw wrongAnswer(status, answer.statusCode);
}

interface Server {
  /** twilio.webhook() knows one token only; so both get what the parent account signed. */
  parent: Account;
  port: number;
  agent: Agent;
  cpuMicroseconds(): Promise<number>;
  close(): void;
}

const Port = z.object({ port: z.number() });
const Used = z.object({ cpuMicroseconds: z.number() });

async function startServer(script: string, twilio: TwilioSimulator): Promise<Server> {
  const parent = twilio.parent();
  const parameters = [PUBLIC_URL, parent.accountSid, parent.authToken, twilio.url];
  const process = converse({ script, parameters, environment: {} });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const { port } = z.parse(Port, await process.hear());
  return {
    parent,
    port,
    agent,
    cpuMicroseconds: async () => z.parse(Used, await process.ask("used")).cpuMicroseconds,
    close() {
      agent.destroy();
      process.close();
    },
  };
}

function wrongAnswer(expected: number, got: unknown): TollbreakerError {
  return new TollbreakerError("bench-wrong-answer", "A webhook was not answered as it should be.", {
    expected: `status ${expected}`,
    got: `status ${got}`,
    fix: "nothing was measured: the server under test or the bench is broken",
  });
}
