import { randomUUID } from "node:crypto";
import pLimit from "p-limit";
import { debuggerRequest, debuggerRetries, type Hook, hooksFor } from "./debugger.ts";
import {
  type CloudEvent,
  errorLogged,
  type Stream,
  streamRequest,
  streamRetries,
  streamsFor,
  testEvent,
  type UnbatchedBody,
} from "./event-streams.ts";
import type { Ring } from "./ring.ts";
import { type Attempt, deliver, type Sending } from "./sending.ts";
import type { Account, Sink, World } from "./state.ts";

/** One attempt to tell a debugger webhook or a sink of an event. */
export interface ErrorDelivery extends Attempt {
  to: "debugger" | "event-streams";
  /** The event's `NO...`, or the test's id. */
  eventSid: string;
  /** The account that the event is about. */
  accountSid: string;
  /** The account whose auth token signed. */
  signedBy: string;
  /** As sent: a form or JSON. */
  body: string;
}

export interface ErrorDeliveryOptions extends Pick<Sending, "retryAfter" | "closing"> {
  /** How long a debugger webhook may take to answer, in milliseconds. */
  debuggerTimeout: number;
  /** The same for a sink; "The maximum timeout for a webhook Sink response is 5 seconds." */
  sinkTimeout: number;
  unbatched: UnbatchedBody;
  deliveries: Ring<ErrorDelivery>;
}

export interface ErrorCarrier {
  /** Sends a test event to the sink. @returns its TestId. */
  test(owner: Account, sink: Sink): string;
  /** Resolves when everything that was raised until then was delivered or given up. */
  settled(): Promise<void>;
}

/** Tells the debugger webhooks and the sinks of every error that is raised from now on. */
export function carryErrors(world: World, options: ErrorDeliveryOptions): ErrorCarrier {
  const underWay = new Set<Promise<void>>();
  // A limit of their own: a flood of errors does not hold up the callbacks of usage triggers.
  const atOnce = pLimit(50);
  const carry = (work: () => Promise<void>) => {
    const carried = atOnce(work);
    underWay.add(carried);
    void carried.finally(() => underWay.delete(carried));
  };
  world.errors.listen((event) => {
    const account = world.accounts.get(event.accountSid);
    if (account === undefined) return;
    for (const hook of hooksFor(world, account, event)) carry(() => toDebugger(world, hook, options));
    const logged = errorLogged(account, event);
    for (const stream of streamsFor(world, account)) carry(() => toSink(world, stream, logged, options));
  });
  return {
    test: (owner, sink) => {
      const event = testEvent(owner, `TE${world.random.hex()}`, world.clock.now());
      carry(() => toSink(world, { owner, sink }, event, options));
      return event.id;
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function toDebugger(world: World, hook: Hook, options: ErrorDeliveryOptions): Promise<void> {
  const idempotencyToken = randomUUID();
  const about = { eventSid: hook.event.sid, accountSid: hook.account.sid, signedBy: hook.signer.sid };
  return deliver(
    () => debuggerRequest(hook, idempotencyToken),
    { ...options, clock: world.clock, timeout: options.debuggerTimeout, retries: debuggerRetries },
    (attempt, { body }) => options.deliveries.push({ to: "debugger", ...about, ...attempt, body: body ?? "" }),
  );
}

function toSink(world: World, stream: Stream, event: CloudEvent, options: ErrorDeliveryOptions): Promise<void> {
  const accountSid = String(event.data["account_sid"] ?? stream.owner.sid);
  const about = { eventSid: event.id, accountSid, signedBy: stream.owner.sid };
  return deliver(
    () => streamRequest({ ...stream, event, unbatched: options.unbatched }),
    { ...options, clock: world.clock, timeout: options.sinkTimeout, retries: streamRetries },
    (attempt, { body }) => options.deliveries.push({ to: "event-streams", ...about, ...attempt, body: body ?? "" }),
  );
}
