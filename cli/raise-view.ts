import * as z from "zod/mini";
import { ROADS } from "../lib/inbox/commands.ts";
import type { Raises } from "../lib/policy/raise.ts";
import { checked } from "./checked.ts";
import { readFrom } from "./request.ts";
import { type Environment, findServer, type Server } from "./server.ts";
import type { Terminal } from "./terminal.ts";

const Rest = z.object({ to: z.string(), until: z.string() });
const End = z.object({
  at: z.string(),
  operator: z.nullable(z.string()),
  reason: z.nullable(z.string()),
  spent: z.nullable(z.string()),
  rest: z.nullable(Rest),
});

/** A limit that somebody raised for a while, as the operator API has it: docs/api.md. */
export const RaiseView = z.object({
  command: z.string(),
  accountSid: z.string(),
  limit: z.string(),
  from: z.string(),
  to: z.string(),
  until: z.string(),
  operator: z.string(),
  road: z.enum(ROADS),
  reason: z.string(),
  at: z.string(),
  ended: z.nullable(End),
  state: z.enum(["raised", "ending", "resting", "ended", "refused"]),
  why: z.nullable(z.string()),
});
export type RaiseView = z.infer<typeof RaiseView>;

const RaisesView = z.object({ raises: z.array(RaiseView) });

export async function readRaises(server: Server, accountSid?: string, signal?: AbortSignal): Promise<RaiseView[]> {
  const query = accountSid === undefined ? "" : `?${new URLSearchParams({ account: accountSid })}`;
  return checked(RaisesView, await readFrom(server, `/api/raises${query}`, signal), server).raises;
}

/** Those that count, by account. */
export type RaisesByAccount = ReadonlyMap<string, Raises>;

/**
 * What is raised beside the policy, where an operator API is named: without it only the policy is known, and what is raised
 * looks as if it was not in order. Never throws: who looks at the triggers needs no token.
 */
export async function raisesBeside(
  environment: Environment,
  terminal: Pick<Terminal, "tell">,
): Promise<RaisesByAccount> {
  // A local run is not what watches this Twilio.
  if (environment["TWILIO_ACCOUNT_SID"] && !environment["TOLLBREAKER_URL"]) return new Map();
  try {
    const raises = await readRaises(await findServer(environment));
    const counting = raises.filter(({ state }) => state === "raised" || state === "resting");
    const byAccount = Map.groupBy(counting, ({ accountSid }) => accountSid);
    return new Map([...byAccount].map(([sid, all]) => [sid, Object.fromEntries(all.map(asStored))]));
  } catch {
    terminal.tell("Note: whether limits are raised could not be read from the operator API; only the policy is shown.");
    return new Map();
  }
}

function asStored({ state: _, why: __, ...raise }: RaiseView) {
  return [raise.limit, { ...raise, due: null }] as const;
}
