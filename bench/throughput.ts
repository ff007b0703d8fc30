import pLimit from "p-limit";
import type { Effort } from "./effort.ts";
import { signedFiring } from "./firing.ts";
import { AT_ONCE, EXPRESS, expectAnswer, OURS, type Server, startServer } from "./measured-webhook.ts";
import { median } from "./median.ts";
import { type Row, row } from "./row.ts";
import { PUBLIC_URL, startQuietTwilio } from "./world.ts";

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
