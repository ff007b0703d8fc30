import type { Clock } from "../clock.ts";
import type { Evidence, Incident } from "../incidents/incident.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { readSpendToday } from "../twilio/usage-records.ts";

const REQUEST_TIMEOUT_MS = 3000;

/** What the account has spent today, and in which currency. Undefined when Twilio does not say: never a reason to stop. */
export async function readEvidence(
  twilio: TwilioClient,
  incident: Incident,
  clock: Clock,
): Promise<Evidence | undefined> {
  const category = incident.trip?.usageCategory ?? "totalprice";
  const [total, tripped] = await Promise.all([
    readSpendToday(twilio, incident.accountSid, "totalprice", REQUEST_TIMEOUT_MS),
    category === "totalprice" ? undefined : readSpendToday(twilio, incident.accountSid, category, REQUEST_TIMEOUT_MS),
  ]);
  const totalSpend = total.kind === "ok" ? total.body : undefined;
  const categorySpend = tripped === undefined ? totalSpend : tripped.kind === "ok" ? tripped.body : undefined;
  const currency = totalSpend?.currency ?? categorySpend?.currency;
  if (currency === undefined) return undefined;
  return {
    currency,
    categoryPriceToday: categorySpend?.price ?? null,
    totalPriceToday: totalSpend?.price ?? null,
    readAt: clock.now().toISOString(),
  };
}
