import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { listening } from "../local/listening.ts";
import { monotonicMs } from "./monotonic.ts";

/** One request and its answer, as seen on the way: from the request's head to the answer's last byte. */
export interface Exchange {
  /** `POST /path`. */
  what: string;
  /** On the clock of `monotonicMs`. */
  begun: number;
  ended: number;
  /** Of the answer; 0 while there is none. */
  status: number;
}

/** Stands between the handlers and an emulator: writes down what passes, and makes it take longer. */
export interface CountingProxy {
  url: string;
  exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** @param delayMs added to each exchange. */
export async function startProxy(target: string, delayMs = 0): Promise<CountingProxy> {
  const exchanges: Exchange[] = [];
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const exchange = begin(incoming, outgoing);
    exchanges.push(exchange);
    // A caller that hears nothing must see it as a lost connection, not wait for ever.
    passOn(incoming, outgoing, { target, agent, delayMs }).catch(() => outgoing.destroy());
  });
  const { url, close } = await listening(server.listen(0, "127.0.0.1"));
  return {
    url,
    exchanges,
    async close() {
      agent.destroy();
      await close();
    },
  };
}

function begin(incoming: IncomingMessage, outgoing: ServerResponse): Exchange {
  const exchange = {
    what: `${incoming.method} ${incoming.url}`,
    begun: monotonicMs(),
    ended: Number.POSITIVE_INFINITY,
    status: 0,
  };
  outgoing.once("finish", () => {
    exchange.status = outgoing.statusCode;
    exchange.ended = monotonicMs();
  });
  return exchange;
}

interface Onward {
  target: string;
  agent: Agent;
  delayMs: number;
}

async function passOn(incoming: IncomingMessage, outgoing: ServerResponse, { target, agent, delayMs }: Onward) {
  if (delayMs > 0) await sleep(delayMs);
  const { method, headers } = incoming;
  const onward = request(new URL(incoming.url ?? "/", target), { method: method ?? "GET", headers, agent });
  const [[answer]] = await Promise.all([once(onward, "response"), pipeline(incoming, onward)]);
  outgoing.writeHead(answer.statusCode, answer.headers);
  await pipeline(answer, outgoing);
}
