import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** How Slack answers one post; `hang` never answers, `cut` closes the connection without an answer. */
type Answer = { status: number; body?: string; retryAfter?: string } | "hang" | "cut";

export interface SlackSink {
  url: string;
  /** What was posted, in the order in which it came. */
  received: { text: string; blocks?: unknown }[];
  /** The next answers, one a post; after them, every post is answered with `ok`. */
  answers: Answer[];
  close(): Promise<void>;
}

/** A real HTTP server on loopback in Slack's place. */
export async function startSlackSink(): Promise<SlackSink> {
  const sink = { received: [] as SlackSink["received"], answers: [] as Answer[] };
  const server = createServer((request, response) => {
    void take(request, response);
  });

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    sink.received.push(JSON.parse(await text(request)));
    const answer = sink.answers.shift() ?? { status: 200, body: "ok" };
    if (answer === "hang") return;
    if (answer === "cut") return void request.socket.destroy();
    if (answer.retryAfter !== undefined) response.setHeader("Retry-After", answer.retryAfter);
    response.writeHead(answer.status).end(answer.body ?? "");
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(sink, {
    url: `http://127.0.0.1:${port}/services/T0/B0/secret-part`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
