import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod/mini";
import { checked } from "../checked.ts";
import { Failure } from "../failure.ts";
import { addressed, requestJson, Unanswered } from "../request.ts";
import type { Server } from "../server.ts";

const Accepted = z.object({ command: z.string(), incidentId: z.nullable(z.string()) });
/** Tollbreaker has it, and carries it out whatever becomes of this command line. */
export type Accepted = z.infer<typeof Accepted>;

/** Before each further attempt; with the requests themselves not longer than a person waits. */
const WAITS_MS = [500, 2000];

/**
 * Asks for something. A request that got no answer, or one that does not tell, is sent again under the same key: the server takes both for one.
 * @throws Failure with the server's words when it refuses.
 */
export async function sendCommand(server: Server, path: string, json: unknown): Promise<Accepted> {
  return sendFor(Accepted, server, path, json);
}

/** The same, for an answer of another shape. */
export async function sendFor<T extends z.core.$ZodType>(
  schema: T,
  server: Server,
  path: string,
  json: unknown,
): Promise<z.output<T>> {
  const headers = { "Tollbreaker-Road": "cli", "Idempotency-Key": randomUUID() };
  const request = { ...addressed(server, path), method: "POST" as const, json, headers };
  for (let attempt = 0; ; attempt++) {
    try {
      return checked(schema, await requestJson(request), server);
    } catch (thrown) {
      if (!(thrown instanceof Unanswered)) throw thrown;
      const wait = WAITS_MS[attempt];
      if (wait === undefined) throw withDoubt(thrown);
      await sleep(wait);
    }
  }
}

/** Where nobody took the connection, nobody took the command either. */
const NEVER_SENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/;

/** Nobody knows whether the server has taken it. */
export class Doubtful extends Failure {}

function withDoubt(failure: Failure): Failure {
  if (NEVER_SENT.test(failure.got ?? "")) return failure;
  const notes = ["It may have been taken all the same: look at the incident before you ask again."];
  return new Doubtful(failure.exit, failure.code, failure.message, { cause: failure, notes });
}
