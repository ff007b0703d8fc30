import pLimit from "p-limit";
import type { RestoreNumbersCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, numbersRestored } from "../incidents/coming-back.ts";
import { wishOf } from "../incidents/wish.ts";
import { retrying } from "../twilio/backoff.ts";
import { describeFailure } from "../twilio/failures.ts";
import { readRouting, updateRouting } from "../twilio/phone-numbers.ts";
import { CALLS_SHARE, type Order, type Responder, share } from "./responder.ts";

const REQUEST_TIMEOUT_MS = 4000;
const PARALLEL_REQUESTS = 5;

/** Gives the phone numbers the webhooks back that `unroute-numbers` took from them. Can be repeated. */
export async function restoreNumbers(
  responder: Responder,
  order: Order<RestoreNumbersCommand>,
  found: IncidentRecord,
): Promise<IncidentRecord> {
  const { store, twilio, clock } = responder;
  const { id, accountSid } = found.incident;
  const until = share(responder, order, CALLS_SHARE);
  const kept = await store.routingsOf(id);
  const outcomes = await pLimit(PARALLEL_REQUESTS).map(kept, async ({ phoneNumberSid, routing }) => {
    const restored = readRouting(routing);
    const answer = await retrying(
      () => updateRouting(twilio, accountSid, phoneNumberSid, restored, REQUEST_TIMEOUT_MS),
      until,
    );
    return answer.kind === "ok" ? undefined : `${phoneNumberSid} (${describeFailure(answer.failure)})`;
  });
  const failures = outcomes.filter((failure) => failure !== undefined);
  const wish = wishOf(order.command);
  const change =
    failures.length === 0 && kept.length > 0
      ? numbersRestored(found, wish, kept.length, clock.now())
      : commandRefused(found, wish, whyNot(kept.length, failures), clock.now());
  return store.save(change);
}

function whyNot(count: number, failures: readonly string[]): string {
  if (count === 0) return "this incident has unrouted no phone number";
  return `${failures.length} of ${count} phone numbers did not get their webhooks back; ask again: ${failures.join(", ")}`;
}
