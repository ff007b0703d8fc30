import { messageOf } from "../errors.ts";
import type { Signal } from "../inbox/messages.ts";
import { decide } from "../policy/decide.ts";
import { endLiveCalls } from "./end-calls.ts";
import { suspendOrGiveBack } from "./enforce.ts";
import { CALLS_SHARE, type Delivery, type Responder, share } from "./responder.ts";

/** Only the store can tell old news from news; without it, a signal is acted on only while it is this young. */
const FRESH_MS = 15 * 60_000;

/**
 * Money runs out of the account whether or not our own store answers: so a fresh signal is enforced even then. The
 * message is delivered again, and the incident is recorded once the store is back.
 */
export async function containWithoutStore(
  responder: Responder,
  delivery: Delivery<Signal>,
  { cause, lastReactivatedAt }: { cause: unknown; lastReactivatedAt: string | null },
): Promise<void> {
  const { twilio, policy, brake, clock, log } = responder;
  const { signal } = delivery;
  log.error("store-unreadable", { accountSid: signal.accountSid, reason: messageOf(cause) });

  const isFresh = clock.now().getTime() - Date.parse(signal.receivedAt) < FRESH_MS;
  const unknown = { state: null, because: null, suspendedAt: null, passed: {} };
  const circumstances = { ...unknown, lastReactivatedAt, parentSid: twilio.accountSid };
  const verdict = decide(signal, circumstances, policy, clock.now());
  // What needs a second opinion can wait for the store: only errors do, and they are no spend.
  if (verdict.kind !== "suspend" || verdict.confirm !== null || !isFresh) return;

  const suspension = await suspendOrGiveBack(responder, delivery, brake.permitAlone(signal.accountSid));
  log.warn("contained-without-store", { accountSid: signal.accountSid, outcome: suspension.kind });
  if (suspension.kind !== "suspended") return;
  await endLiveCalls(twilio, signal.accountSid, share(responder, delivery, CALLS_SHARE));
}
