import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { IncidentStory, TimelineView } from "../../cli/incident-view.ts";
import { openIncident, suspended } from "../../lib/incidents/record.ts";
import { firing, tripping } from "../support/signals.ts";
import { type Listening, serve } from "./command-line.ts";

export const ACCOUNT = `AC${"a1".repeat(16)}`;
export const ID = "20261121T030405000-1f3a9c2e";

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

interface Answer {
  status: number;
  /** A text goes out as it is: what a gateway in between would answer. */
  json: unknown;
}

type Route = (received: Received, api: ScriptedApi) => Answer | "cut";

/**
 * The operator API with a responder that does what the test says: an incident that `GET` shows as it is in that moment,
 * and routes that change it. It speaks over a real connection.
 */
export class ScriptedApi {
  readonly received: Received[] = [];
  incident: IncidentStory = suspendedIncident();
  readonly routes = new Map<string, Route>();
  private server: Listening | undefined;

  async listen(): Promise<void> {
    this.server = await serve((request, response) => void this.answer(request, response));
  }

  get environment(): Record<string, string> {
    return { TOLLBREAKER_URL: this.server?.url ?? "", TOLLBREAKER_TOKEN: "token-of-olga" };
  }

  on(route: string, answer: Route): void {
    this.routes.set(route, answer);
  }

  /** What was sent to change something. */
  get commands(): Received[] {
    return this.received.filter(({ method }) => method === "POST");
  }

  add(...entries: Partial<TimelineView>[]): void {
    const whole = entries.map((entry, index) => ({ ...line(this.incident.timeline.length + index), ...entry }));
    const timeline = [...this.incident.timeline, ...whole];
    this.incident = { ...this.incident, timeline, updatedAt: timeline.at(-1)?.at };
  }

  async close(): Promise<void> {
    await this.server?.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const body = await text(request);
    const received = { method, path: url, headers, body: body === "" ? undefined : JSON.parse(body) };
    this.received.push(received);
    const answer = this.routes.get(`${method} ${url}`)?.(received, this) ?? this.fallback(received);
    if (answer === "cut") return void request.socket.destroy();
    const type = answer.status < 400 ? "application/json" : "application/problem+json";
    response
      .writeHead(answer.status, { "Content-Type": type })
      .end(typeof answer.json === "string" ? answer.json : JSON.stringify(answer.json));
  }

  private fallback({ method, path }: Received): Answer {
    if (method === "GET" && path === `/api/incidents/${this.incident.id}`) return { status: 200, json: this.incident };
    return { status: 404, json: { code: "incident-not-found", detail: "There is no incident with this id." } };
  }
}

export function accepted(command: string, incidentId: string | null = ID): Answer {
  return { status: 202, json: { command, incidentId, incident: null } };
}

/** A line of the history that `command` caused. */
export function own(command: string, what: string, why = "", more: Partial<TimelineView> = {}): Partial<TimelineView> {
  return { what, why, who: "olga", detail: { command, road: "cli" }, ...more };
}

function line(count: number): TimelineView {
  const at = new Date(Date.parse("2026-11-21T03:10:00.000Z") + count * 1000).toISOString();
  return { at, what: "", who: "tollbreaker", why: "", detail: {} };
}

/** Fired at 03:03:35. Its check-list was read just now: API keys and the auth token are open. */
export function suspendedIncident(): IncidentStory {
  const at = new Date("2026-11-21T03:04:05.000Z");
  const opened = openIncident(ID, tripping(firing(ACCOUNT, { receivedAt: at.toISOString() })), at).record;
  const change = suspended(opened, { by: "tollbreaker", friendlyName: "Northwind", reason: "over its limit", now: at });
  return { ...change.record.incident, checklist: freshChecklist(), timeline: [] };
}

export function freshChecklist() {
  return {
    readAt: new Date().toISOString(),
    items: [
      { id: "suspended-by", answer: "done", why: "Tollbreaker suspended it" },
      { id: "live-calls", answer: "done", why: "no call is live" },
      { id: "api-keys", answer: "not-done", why: "2 from before the incident" },
      { id: "auth-token", answer: "cannot-tell", why: "it was not seen" },
      { id: "triggers", answer: "done", why: "all 3 are there" },
    ],
  };
}
