import { messageOf } from "../lib/errors.ts";
import { EXIT, type Exit, Failure } from "./failure.ts";
import { adviceOf, notesOf, Problem } from "./problem-view.ts";
import type { Server } from "./server.ts";

/** What to ask, and of whom; `hint` is what to do when nobody answers. */
export interface Request {
  method?: "GET" | "POST";
  baseUrl: string;
  path: string;
  token?: string;
  json?: unknown;
  headers?: Readonly<Record<string, string>>;
  hint: string;
  /** Ends it early. */
  signal?: AbortSignal;
}

/** The JSON at `path` of the operator API. @throws Failure that says what to do. */
export function readFrom(server: Server, path: string, signal?: AbortSignal): Promise<unknown> {
  return requestJson({ ...addressed(server, path), ...(signal && { signal }) });
}

/** A request of the operator API, still to be completed. */
export function addressed(server: Server, path: string): Request {
  const hint = server.local
    ? "is `npm start` running? Start it in another shell"
    : "check TOLLBREAKER_URL and the network";
  return { baseUrl: server.url, path, token: server.token, hint };
}

/** The JSON that answers `request`. @throws Failure for every other answer, and for none. */
export async function requestJson(request: Request): Promise<unknown> {
  const answer = await send(request);
  const body = jsonOrNothing(answer.text);
  if (answer.ok && body !== undefined) return body;
  throw refusal(answer, body, request.baseUrl);
}

/** Nobody knows whether the request was carried out: what came back says nothing about it, or nothing came. */
export class Unanswered extends Failure {}

interface Answer {
  ok: boolean;
  status: number;
  text: string;
}

// Long enough for a cold start and a slow table; a person is waiting.
const PATIENCE_MS = 20_000;

async function send(request: Request): Promise<Answer> {
  try {
    const response = await fetch(address(request), {
      method: request.method ?? "GET",
      headers: headersOf(request),
      ...(request.json !== undefined && { body: JSON.stringify(request.json) }),
      // A redirect is never followed: it could carry the token elsewhere.
      redirect: "manual",
      signal: AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(request.signal ? [request.signal] : [])]),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch (cause) {
    throw unreachable(request, cause);
  }
}

// The base may have a path of its own (a proxy's, a stage's), so the path is added to it rather than resolved on it.
function address({ baseUrl, path }: Request): string {
  return `${baseUrl.replace(/\/+$/, "")}${path}`;
}

function headersOf({ token, json, headers }: Request): Record<string, string> {
  return {
    Accept: "application/json",
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(json !== undefined && { "Content-Type": "application/json" }),
    ...headers,
  };
}

function unreachable({ baseUrl, hint }: Request, cause: unknown): Failure {
  const what = `${baseUrl} cannot be reached.`;
  return new Unanswered(EXIT.unreachable, "server-unreachable", what, { got: rootCause(cause), fix: hint, cause });
}

// fetch itself only says "fetch failed"; what a person can act on (ECONNREFUSED, a certificate) is its cause.
function rootCause(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return messageOf(cause) || code || messageOf(thrown);
}

function refusal({ ok, status }: Answer, body: unknown, baseUrl: string): Failure {
  const problem = Problem.safeParse(body);
  // A gateway answers 5xx for a server that may be at it still; what it refuses itself never came there.
  const Kind = ok || status >= 500 ? Unanswered : Failure;
  if (!problem.success) return notUnderstood(baseUrl, `HTTP status ${status} with another body`, Kind);
  const { code, detail } = problem.data;
  return new Kind(exitFor(status), code, detail, { ...adviceOf(problem.data), notes: notesOf(problem.data) });
}

function exitFor(status: number): Exit {
  switch (status) {
    case 400:
      return EXIT.usage;
    case 401:
    case 403:
      return EXIT.notAuthorised;
    case 404:
      return EXIT.notFound;
    case 409:
    case 422:
      return EXIT.refused;
    default:
      return EXIT.failed;
  }
}

/** For an answer that Tollbreaker would not give. */
export function notUnderstood(baseUrl: string, got: string, Kind: typeof Failure = Unanswered): Failure {
  return new Kind(EXIT.failed, "answer-not-understood", `What ${baseUrl} answered is not Tollbreaker's.`, {
    expected: "the JSON described in docs/api.md",
    got,
    fix: "check the address, and that this command line has the server's version",
  });
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
