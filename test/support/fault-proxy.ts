import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

/**
 * A small HTTP proxy on loopback between the code under test and a server it depends on, which can be told to fail.
 * Without rules it passes everything on as it came.
 */
export interface FaultProxy {
  readonly url: string;
  /** Adds a rule. Of several that apply to a request, the one added first acts. */
  fail(rule: FaultRule): void;
  /** Forgets all rules; a request that hangs goes on hanging. */
  clear(): void;
  /** What came, whole, in the order in which it came, whether it was passed on or not. */
  requests(): readonly SeenRequest[];
  /** Connections are refused from now on, and open ones are cut. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
  close(): Promise<void>;
}

export interface SeenRequest {
  method: string;
  /** Path and query. */
  path: string;
  /** Names in lower case. */
  headers: IncomingHttpHeaders;
  body: string;
  /** Of an AWS request: `SendMessage`, `UpdateItem`, `Publish`; otherwise empty. */
  operation: string;
}

export type FaultRule = {
  /** To which requests the rule applies: to all when left out. A text is the name of an AWS operation. */
  on?: string | ((request: SeenRequest) => boolean);
  /** The first request on which it acts, of those it applies to; 1 when left out. */
  nth?: number;
  /** On how many it acts; on all that follow when left out. */
  times?: number;
  /** `before` (when left out): the server never sees the request, or sees it late. `after`: it acted, the answer is lost or late. */
  when?: "before" | "after";
} & Fault;

export type Fault =
  /** Waits so many milliseconds, then goes on. */
  | { do: "delay"; milliseconds: number }
  /** Cuts the connection. */
  | { do: "cut" }
  /** Never answers. */
  | { do: "hang" }
  | { do: "answer"; status: number; body?: string; headers?: Record<string, string> }
  /** Calls `hook`, waits for it, then goes on. */
  | { do: "call"; hook: (request: SeenRequest) => unknown };

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const rules: { rule: FaultRule; met: number }[] = [];
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    // Whatever goes wrong on the way, the client sees a cut connection.
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const port = await listen(0);

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const request = seenOf(incoming, body);
    seen.push(request);
    const rule = ruleFor(request);
    if (rule !== undefined && rule.when !== "after" && (await act(rule, request, outgoing)) === "ended") return;
    const answer = await passOn(incoming, body, { target, gone: outgoing });
    if (rule?.when === "after" && (await act(rule, request, outgoing)) === "ended") return;
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  function ruleFor(request: SeenRequest): FaultRule | undefined {
    // Each rule counts every request that it applies to, even where another one acts.
    const acting = rules.filter((entry) => applies(entry.rule, request) && isTurn(entry.rule, ++entry.met));
    return acting[0]?.rule;
  }

  async function listen(at: number): Promise<number> {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the fault proxy does not listen on a port");
    return address.port;
  }

  async function down(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  return {
    url: `http://127.0.0.1:${port}`,
    fail: (rule) => void rules.push({ rule, met: 0 }),
    clear: () => void rules.splice(0),
    requests: () => seen,
    down,
    up: async () => void (await listen(port)),
    close: down,
  };
}

function applies({ on }: FaultRule, seen: SeenRequest): boolean {
  if (on === undefined) return true;
  return typeof on === "string" ? seen.operation === on : on(seen);
}

function isTurn({ nth = 1, times = Number.POSITIVE_INFINITY }: FaultRule, met: number): boolean {
  return met >= nth && met < nth + times;
}

async function act(fault: FaultRule, request: SeenRequest, outgoing: ServerResponse): Promise<"goes on" | "ended"> {
  switch (fault.do) {
    case "delay":
      await new Promise((resolve) => setTimeout(resolve, fault.milliseconds));
      return "goes on";
    case "call":
      await fault.hook(request);
      return "goes on";
    case "cut":
      outgoing.destroy();
      return "ended";
    case "hang":
      return "ended";
    case "answer":
      outgoing.writeHead(fault.status, fault.headers).end(fault.body ?? "");
      return "ended";
  }
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

interface Way {
  target: string;
  /** The client's side: when it gives up, so do we. */
  gone: ServerResponse;
}

async function passOn({ method, url, headers }: IncomingMessage, body: Buffer, way: Way): Promise<Answer> {
  const { host, protocol, hostname, port } = new URL(way.target);
  const sent = request({
    ...{ protocol, hostname, port, method, agent: false },
    path: url,
    headers: { ...headers, host, connection: "close", "content-length": body.length },
  });
  way.gone.once("close", () => sent.destroy());
  sent.end(body);
  const response: IncomingMessage = (await once(sent, "response"))[0];
  return { status: response.statusCode ?? 502, headers: endToEnd(response.headers), body: await buffer(response) };
}

// How the answer is framed is a matter of each connection; we have all of it.
function endToEnd({ connection, "transfer-encoding": chunked, "keep-alive": kept, ...headers }: IncomingHttpHeaders) {
  return headers;
}

function seenOf({ method = "", url = "", headers }: IncomingMessage, body: Buffer): SeenRequest {
  const text = body.toString("utf8");
  return { method, path: url, headers, body: text, operation: operationOf(headers, text) };
}

// The JSON protocols (DynamoDB, SQS, SSM) name it in a header, the query protocol (SNS) in the form.
function operationOf(headers: IncomingHttpHeaders, body: string): string {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.slice(target.lastIndexOf(".") + 1);
  return new URLSearchParams(body).get("Action") ?? "";
}
