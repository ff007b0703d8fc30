import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedWebhook {
  method: string;
  /** Path and query as received. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A webhook endpoint that answers what `answer` says for its nth request; `never` leaves the request open. */
export async function webhook(answer: (nth: number) => number | "never" = () => 204) {
  const received: ReceivedWebhook[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    received.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    const status = answer(received.length);
    if (status !== "never") response.writeHead(status).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}/webhooks/usage-trigger`, received, close };
}

/** A clock that stands still until it is set; sleeping takes no time. */
export function clockAt(iso: string) {
  let now = new Date(iso);
  return {
    now: () => now,
    sleep: () => Promise.resolve(),
    set: (next: string) => {
      now = new Date(next);
    },
  };
}
