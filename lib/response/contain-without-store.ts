import type { SuspendCommand } from "../inbox/commands.ts";
import type { Signal } from "../inbox/messages.ts";
import { decide } from "../policy/decide.ts";
import { anchoredAt } from "../policy/first-moment.ts";
import { endLiveCalls } from "./end-calls.ts";
import { suspendThroughBrake } from "./enforce.ts";
import { FREE_PASS, type Permit } from "./keep-brake.ts";
import type { Recalled } from "./recollect.ts";
import { CALLS_SHARE, type Delivery, type Order, type Outcome, type Responder, share } from "./responder.ts";
import { whyRefused } from "./suspend-by-hand.ts";

/**
 * Money runs out of the account whether or not our own store answers. So it is suspended even then; the message is tried
 * again, and what was done is written down once the store is back.
 */
type Unread = Extract<Recalled, { kind: "failed" }>;

/** Only the store can tell old news from news; without it, a signal is acted on only while it is this young. */
const FRESH_MS = 15 * 60_000;

const NOTHING_RECALLED = {
  lastReactivatedAt: null,
  passed: {},
  interims: {},
  raises: {},
  before: null,
  firstMoment: null,
};

export async function containWithoutStore(
  responder: Responder,
  delivery: Delivery<Signal>,
  { why, memory }: Unread,
): Promise<Outcome> {
  const { twilio, policy, brake, clock } = responder;
  const { signal } = delivery;
  const isFresh = clock.now().getTime() - Date.parse(signal.receivedAt) < FRESH_MS;
  const unknown = { state: null, because: null, suspendedAt: null };
  const { before, firstMoment, interims, raises, ...known } = memory ?? NOTHING_RECALLED;
  const counts = { ...anchoredAt(known, before), interims };
  const circumstances = { ...unknown, ...counts, firstMoment, raises, parentSid: twilio.accountSid };
  const verdict = decide(signal, circumstances, policy, clock.now());
  // What needs a second opinion can wait for the store: only errors do, and they are no spend.
  const isToBe = isFresh && verdict.kind === "suspend" && verdict.confirm === null;
  return contain(responder, delivery, {
    why,
    permit: isToBe ? brake.permitAlone(signal.accountSid) : undefined,
  });
}

/** The same for what a person asked for. */
export async function suspendWithoutStore(
  responder: Responder,
  { command, ...turn }: Order<SuspendCommand>,
  { why }: Unread,
): Promise<Outcome> {
  const isToBe = whyRefused(responder, command) === undefined;
  const permit = isToBe ? FREE_PASS : undefined;
  return contain(responder, { signal: command, ...turn }, { why, permit });
}

async function contain(
  responder: Responder,
  delivery: Delivery<Signal | SuspendCommand>,
  { why, permit }: { why: string; permit: Permit | undefined },
): Promise<Outcome> {
  const { twilio, log } = responder;
  const { accountSid } = delivery.signal;
  const again = { kind: "again", why: `our own table could not be read: ${why}` } as const;
  log.error("store-unreadable", { accountSid, reason: why });
  if (permit === undefined) return again;

  const asking = { askedBefore: delivery.containedAt !== null, permit };
  const suspension = await suspendThroughBrake(responder, delivery, asking);
  log.warn("contained-without-store", { accountSid, outcome: suspension.kind });
  if (suspension.kind !== "suspended") return again;
  await endLiveCalls(twilio, accountSid, share(responder, delivery, CALLS_SHARE));
  if (suspension.by !== "tollbreaker") return again;
  return { ...again, containedAt: delivery.containedAt ?? suspension.at.toISOString() };
}
