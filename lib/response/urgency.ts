import { isCommand, isNudge, type Message } from "../inbox/messages.ts";
import type { Nudge } from "../inbox/nudges.ts";
import type { Policy } from "../policy/policy.ts";
import { maySuspend } from "../policy/stands-for.ts";

/** Whether a message may stop its account: the lower, the sooner it is handled. */
export const STOP = {
  /** It may suspend the account. */
  now: 0,
  /** A person waits for it. */
  asked: 1,
  /** It only tells, or tidies up. */
  never: 2,
} as const;
export type Urgency = (typeof STOP)[keyof typeof STOP];

const NUDGES: Readonly<Record<Nudge["kind"], Urgency>> = {
  drive: STOP.now,
  tampered: STOP.now,
  // Until it stands, nothing of Twilio's stops the account.
  guard: STOP.asked,
  "found-suspended": STOP.never,
  remind: STOP.never,
  raises: STOP.never,
  drill: STOP.never,
};

/** Pure. */
export function urgencyOf(message: Message, policy: Policy, now: Date): Urgency {
  if (isCommand(message)) return message.kind === "suspend" ? STOP.now : STOP.asked;
  if (isNudge(message)) return NUDGES[message.kind];
  return maySuspend(message, policy, now) ? STOP.now : STOP.never;
}
