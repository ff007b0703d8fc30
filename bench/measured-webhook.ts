import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import type { TwilioSimulator } from "../local/twilio/simulator.ts";
import type { Account, SignedWebhook } from "./firing.ts";
import { converse } from "./processes/conversation.ts";
import { PUBLIC_URL } from "./world.ts";

export const OURS = fileURLToPath(new URL("./processes/our-webhook.ts", import.meta.url));
export const EXPRESS = fileURLToPath(new URL("./processes/express-webhook.ts", import.meta.url));
export const AT_ONCE = 8;

/** A webhook in a process of its own, over HTTP connections that are kept open. */
export interface Server {
  /** twilio.webhook() knows one token only; so both get what the parent account signed. */
  parent: Account;
  port: number;
  agent: Agent;
  cpuMicroseconds(): Promise<number>;
  close(): void;
}

const Port = z.object({ port: z.number() });
const Used = z.object({ cpuMicroseconds: z.number() });

export async function startServer(script: string, twilio: TwilioSimulator): Promise<Server> {
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

function wrongAnswer(expected: readonly number[], got: unknown): TollbreakerError {
  return new TollbreakerError("bench-wrong-answer", "A webhook was not answered as it should be.", {
    expected: `status ${expected.join(" or ")}`,
    got: `status ${got}`,
    fix: "nothing was measured: the server under test or the bench is broken",
  });
}

/** @throws TollbreakerError `bench-wrong-answer` where the answer is none of `statuses` */
export async function expectAnswer(
  { agent, port }: Server,
  { path, body, headers }: SignedWebhook,
  ...statuses: number[]
): Promise<void> {
  const length = { "content-length": Buffer.byteLength(body) };
  const post = request({ agent, port, method: "POST", path, headers: { ...headers, ...length } });
  const [answer] = await once(post.end(body), "response");
  answer.resume();
  await once(answer, "end");
  if (!statuses.includes(answer.statusCode)) throw wrongAnswer(statuses, answer.statusCode);
}
