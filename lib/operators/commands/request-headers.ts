import type { Context } from "hono";
import { type Problem, quote } from "../../http/problem.ts";
import type { Road } from "../../inbox/commands.ts";

/** What the headers of a command say of it. */
export type CommandHeaders =
  | { kind: "headers"; road: Road; requestId: string | undefined }
  | { kind: "refused"; problem: Problem };

const REQUEST_ID = /^[ -~]{1,64}$/;

export function readHeaders(c: Context): CommandHeaders {
  const road = roadOf(c);
  const requestId = c.req.header("Idempotency-Key");
  if (road === undefined) return { kind: "refused", problem: unknownRoad(c.req.header("Tollbreaker-Road") ?? "") };
  if (requestId !== undefined && !REQUEST_ID.test(requestId)) return { kind: "refused", problem: unfitKey(requestId) };
  return { kind: "headers", road, requestId };
}

/** Which of our own clients it came from; whoever names none is a client of the API. Undefined for no such client. */
export function roadOf(c: Context): Road | undefined {
  const road = c.req.header("Tollbreaker-Road");
  if (road === undefined) return "api";
  return road === "cli" || road === "console" ? road : undefined;
}

const REFUSAL = { status: 400, title: "A header cannot be used" } as const;

function unknownRoad(got: string): Problem {
  return {
    ...REFUSAL,
    code: "road-invalid",
    detail: "The header Tollbreaker-Road cannot be used.",
    expected: "cli or console, or no such header",
    got: quote(got),
    fix: "leave the header out",
  };
}

function unfitKey(got: string): Problem {
  return {
    ...REFUSAL,
    code: "idempotency-key-invalid",
    detail: "The header Idempotency-Key cannot be used.",
    expected: "1 to 64 printable ASCII characters",
    got: quote(got),
    fix: "send a UUID, or leave the header out",
  };
}
