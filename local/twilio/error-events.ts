import * as z from "zod/mini";
import { nameOfError } from "./error-codes.ts";
import { Ring } from "./ring.ts";
import type { Account, World } from "./state.ts";

/** One line of Twilio's debugger: https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks */
export interface ErrorEvent {
  /** `NO...`; both the debugger webhook and Event Streams call the event by it. */
  readonly sid: string;
  readonly accountSid: string;
  readonly at: Date;
  readonly level: string;
  readonly code: number;
  readonly resourceSid: string | null;
  readonly serviceSid: string | null;
  /** Differs from product to product. */
  readonly moreInfo: Readonly<Record<string, unknown>>;
  /** The request that failed, where it was one to the customer's server. */
  readonly webhook: unknown;
  /** Sent in place of the payload, whatever it is: for tests of what cannot be read. */
  readonly rawPayload: string | null;
}

/** What to raise; all but `code` may be left out. */
export const ErrorOrder = z.object({
  code: z.int().check(z.minimum(10_000), z.maximum(99_999)),
  /** How many events, each with a SID of its own unless `sid` is given. */
  times: z._default(z.int().check(z.positive()), 1),
  sid: z.optional(z.string().check(z.regex(/^NO[0-9a-f]{32}$/))),
  /** Twilio's documentation has it in lower and in upper case. */
  level: z._default(z.string(), "ERROR"),
  resourceSid: z._default(z.nullable(z.string()), null),
  serviceSid: z._default(z.nullable(z.string()), null),
  moreInfo: z._default(z.record(z.string(), z.unknown()), {}),
  webhook: z.optional(z.unknown()),
  rawPayload: z._default(z.nullable(z.string()), null),
});
export type ErrorOrder = z.input<typeof ErrorOrder>;

const KEPT_EVENTS = 5_000;

/** Everything that was raised, passed on as it happens. */
export class ErrorFeed {
  readonly recent = new Ring<ErrorEvent>(KEPT_EVENTS);
  #listener: (event: ErrorEvent) => void = () => {};

  listen(listener: (event: ErrorEvent) => void): void {
    this.#listener = listener;
  }

  publish(event: ErrorEvent): void {
    this.recent.push(event);
    this.#listener(event);
  }
}

export function raiseError(world: World, account: Account, order: ErrorOrder): ErrorEvent {
  const { sid, code, moreInfo, webhook, times: _times, ...error } = z.parse(ErrorOrder, order);
  const event = {
    ...error,
    sid: sid ?? `NO${world.random.hex()}`,
    accountSid: account.sid,
    at: world.clock.now(),
    code,
    moreInfo: { Msg: nameOfError(code), ErrorCode: String(code), LogLevel: error.level, ...moreInfo },
    webhook,
  };
  world.errors.publish(event);
  return event;
}
