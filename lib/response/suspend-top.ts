import { compare, sum } from "../decimal.ts";
import { messageOf } from "../errors.ts";
import type { Incident, Spender } from "../incidents/incident.ts";
import type { Responder } from "./responder.ts";

/** A ranking says who spends now only while it is this young. */
const FRESH_MS = 15 * 60_000;

/**
 * Where the policy says `parent: suspend-top`: the one subaccount that makes more than half of today's spend is
 * suspended, too. Not here, but by a signal of its own in its own account's order, so that it meets the same rules as
 * any other: exemptions, observe mode, the brake. Repeatable: the same ranking sends the same signal.
 * @returns why it must be asked again; undefined when nothing is left to do.
 */
export async function suspendTheTop(
  { inbox, policy, clock, log }: Responder,
  incident: Incident,
): Promise<string | undefined> {
  const top = policy.parent === "suspend-top" ? topOf(incident, clock.now()) : undefined;
  if (top === undefined) return undefined;
  try {
    await inbox.put({
      kind: "top-spender",
      id: `top-spender:${incident.id}:${incident.receivedAt}`,
      accountSid: top.accountSid,
      receivedAt: clock.now().toISOString(),
      price: top.price,
      currency: incident.ranking?.currency ?? "",
      share: top.share ?? "",
    });
    return undefined;
  } catch (error) {
    log.error("top-spender-not-signalled", { accountSid: top.accountSid, reason: messageOf(error) });
    return `the top spender could not be signalled: ${messageOf(error)}`;
  }
}

/** Who makes more than half of all that is known to have been spent; undefined when a part of it is not known. */
function topOf({ ranking, evidence }: Incident, now: Date): Spender | undefined {
  const [top] = ranking?.spenders ?? [];
  if (ranking === null || top === undefined || ranking.unread > 0) return undefined;
  if (now.getTime() - Date.parse(ranking.readAt) > FRESH_MS) return undefined;
  // The parent's own traffic is in no subaccount's figures, and Twilio does not say what is in the parent's.
  const ofParent = evidence?.currency === ranking.currency ? evidence.totalPriceToday : null;
  if (ofParent === null) return undefined;
  const twice = sum([top.price, top.price]);
  return compare(twice, ranking.total) > 0 && compare(twice, ofParent) > 0 ? top : undefined;
}
