import type { SpendRanking } from "../incidents/incident.ts";
import type { IncidentRecord } from "../incidents/record.ts";
import type { Responder } from "./responder.ts";

/**
 * Where the policy says `parent: suspend-top`: the one subaccount that makes more than half of today's spend is
 * suspended, too. Not here, but by a signal of its own in its own account's order, so that it meets the same rules as
 * any other: exemptions, observe mode, the brake. Not when part of the spend is unknown.
 */
export async function suspendTheTop(
  { inbox, policy, clock }: Responder,
  { incident }: IncidentRecord,
  { spenders, currency, unread }: SpendRanking,
): Promise<void> {
  const [top] = spenders;
  if (policy.parent !== "suspend-top" || unread > 0 || top === undefined || Number(top.share) <= 50) return;
  await inbox.put({
    kind: "top-spender",
    id: `top-spender:${incident.id}:${incident.receivedAt}`,
    accountSid: top.accountSid,
    receivedAt: clock.now().toISOString(),
    price: top.price,
    currency,
    share: top.share ?? "0",
  });
}
