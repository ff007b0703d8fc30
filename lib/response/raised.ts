import type { Raises } from "../policy/raise.ts";
import { raisedPolicy } from "../policy/raise.ts";
import type { Responder } from "./responder.ts";

/** The same responder, by the policy as it holds for this account now: with the limits that somebody raised for a while. */
export function underRaises(responder: Responder, accountSid: string, { raises }: { raises: Raises }): Responder {
  const { policy, clock } = responder;
  return { ...responder, policy: raisedPolicy(policy, accountSid, raises, clock.now()) };
}
