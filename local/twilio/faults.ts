import type { MiddlewareHandler, Next } from "hono";
import * as z from "zod/mini";
import type { Clock } from "../../lib/clock.ts";
import { internalError, type Refusal, refuse, tooManyRequests, unavailable } from "./errors.ts";
import { apiPath, type TwilioContext, type TwilioEnv } from "./http.ts";
import { userNameIn } from "./request-log.ts";
import { snapshot } from "./snapshot.ts";
import type { World } from "./state.ts";

const REFUSALS = new Map<number, Refusal>([
  [429, tooManyRequests],
  [500, internalError],
  [503, unavailable],
]);

/** What goes wrong. `acts` says whether Twilio does what was asked before it fails to say so. */
const Effect = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("status"), status: z.literal([429, 500, 503]), acts: z._default(z.boolean(), false) }),
  /** The request is accepted and never answered. */
  z.object({ kind: z.literal("time-out"), acts: z._default(z.boolean(), false) }),
  /** The connection is cut instead of an answer. */
  z.object({ kind: z.literal("drop"), acts: z._default(z.boolean(), false) }),
  z.object({ kind: z.literal("latency"), milliseconds: z.int().check(z.nonnegative()) }),
  /** Answers as though it had been done, and leaves everything as it was. */
  z.object({ kind: z.literal("lie") }),
]);

/** Which requests fail, how, and for how long; a fault without `times` and `milliseconds` lasts until it is cleared. */
export const Fault = z.object({
  effect: Effect,
  method: z.optional(z.enum(["GET", "POST", "DELETE"])),
  /** A regular expression for the API's path, such as `/Calls/CA`. */
  path: z.optional(z.string().check(z.refine(isRegularExpression, "expected a regular expression"))),
  /** The account that the path names, or whose SID came as user name where no account has a part in the path. */
  accountSid: z.optional(z.string()),
  /** So many requests pass first: with 1, the second is the first to fail. */
  skip: z._default(z.int().check(z.nonnegative()), 0),
  /** The next so many requests. */
  times: z.optional(z.int().check(z.positive())),
  /** From now on for so long. */
  milliseconds: z.optional(z.int().check(z.positive())),
});
export type FaultOrder = z.input<typeof Fault>;
type Effect = z.output<typeof Effect>;

export interface ArmedFault extends z.output<typeof Fault> {
  id: number;
  /** How many requests it has hit. */
  hits: number;
  /** How many it has still to let pass. */
  skips: number;
  until: Date | null;
}

/** The faults in force; of several that match a request the oldest is taken. */
export class Faults {
  readonly #clock: Clock;
  #armed: ArmedFault[] = [];
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(fault: z.output<typeof Fault>): ArmedFault {
    this.#made += 1;
    const until = fault.milliseconds === undefined ? null : new Date(this.#clock.now().getTime() + fault.milliseconds);
    const armed = { ...fault, id: this.#made, hits: 0, skips: fault.skip, until };
    this.#armed.push(armed);
    return armed;
  }

  list(): readonly ArmedFault[] {
    const now = this.#clock.now();
    this.#armed = this.#armed.filter(
      ({ times = Number.POSITIVE_INFINITY, hits, until }) => hits < times && (until === null || now < until),
    );
    return this.#armed;
  }

  clear(): void {
    this.#armed = [];
  }

  /** The effect on this request, counted as a hit. */
  take(request: Target): Effect | undefined {
    const hit = this.list().find((fault) => isAimedAt(fault, request) && !letsPass(fault));
    if (hit === undefined) return undefined;
    hit.hits += 1;
    return hit.effect;
  }
}

/** What of a request decides whether a fault hits it. */
interface Target {
  method: string;
  path: string;
  /** The user name of its credentials. */
  user: string | null;
}

function letsPass(fault: ArmedFault): boolean {
  if (fault.skips === 0) return false;
  fault.skips -= 1;
  return true;
}

function isAimedAt({ method, path, accountSid }: ArmedFault, request: Target): boolean {
  return (
    (method === undefined || method === request.method) &&
    (path === undefined || new RegExp(path).test(request.path)) &&
    (accountSid === undefined || isAbout(accountSid, request))
  );
}

const isAbout = (accountSid: string, { path, user }: Target): boolean =>
  path.startsWith("/2010-04-01/") ? path.includes(accountSid) : user === accountSid;

/** Applies the faults in force to every request; has to come before the routes and after the form was read. */
export function failing(world: World, faults: Faults): MiddlewareHandler<TwilioEnv> {
  return (context, next) => {
    const user = userNameIn(context.req.header("authorization"));
    const effect = faults.take({ method: context.req.method, path: apiPath(context.req.url), user });
    return effect === undefined ? next() : suffer(world, effect, context, next);
  };
}

async function suffer(world: World, effect: Effect, context: TwilioContext, next: Next): Promise<Response | undefined> {
  switch (effect.kind) {
    case "latency":
      await world.clock.sleep(effect.milliseconds);
      return proceed(next);
    case "lie":
      return proceedWithoutTrace(world, next);
    case "status":
      if (effect.acts) await next();
      return replaceAnswer(context, refuse(context, REFUSALS.get(effect.status) ?? internalError));
    case "time-out":
      if (effect.acts) await next();
      return never();
    case "drop":
      if (effect.acts) await next();
      context.env.incoming.socket.destroy();
      return never();
  }
}

// The connection stays open, without an answer, until the client or the simulator closes it.
const never = (): Promise<never> => new Promise(() => {});

async function proceed(next: Next): Promise<undefined> {
  await next();
}

// The form was read before, so the route below runs within one turn of the event loop: nothing else is undone with it.
async function proceedWithoutTrace(world: World, next: Next): Promise<undefined> {
  const undo = snapshot(world);
  await next();
  undo();
}

// Hono merges the headers of an answer that is already there into the next one, unless it is taken away first.
function replaceAnswer(context: TwilioContext, answer: Response): undefined {
  context.res = undefined;
  context.res = answer;
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
