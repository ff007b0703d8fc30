import pLimit from "p-limit";
import type { RestoreNumbersCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, numbersRestored } from "../incidents/coming-back.ts";
import { wishOf } from "../incidents/wish.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import { describeFailure } from "../twilio/failures.ts";
import {
  isRouted,
  isRoutedAs,
  listPhoneNumbers,
  type PhoneNumber,
  type Routing,
  readRouting,
  updateRouting,
} from "../twilio/phone-numbers.ts";
import { CALLS_SHARE, type Order, type Responder, share } from "./responder.ts";

const REQUEST_TIMEOUT_MS = 4000;
const PARALLEL_REQUESTS = 5;

/**
 * Gives the phone numbers the webhooks back that `unroute-numbers` took from them, in this incident or an earlier one of
 * the account. A number that somebody gave other ones since keeps those. Can be repeated.
 */
export async function restoreNumbers(
  responder: Responder,
  order: Order<RestoreNumbersCommand>,
  found: IncidentRecord,
): Promise<IncidentRecord> {
  const { store, clock } = responder;
  const outcome = await giveBack(responder, found.incident.accountSid, share(responder, order, CALLS_SHARE));
  const wish = wishOf(order.command);
  const now = clock.now();
  return store.change(found, (record) =>
    outcome.kind === "given"
      ? numbersRestored(record, wish, outcome, now)
      : commandRefused(record, wish, outcome.why, now),
  );
}

type GivenBack = { kind: "given"; count: number; left: readonly string[] } | { kind: "not-given"; why: string };

async function giveBack({ store, twilio }: Responder, accountSid: string, until: Until): Promise<GivenBack> {
  const kept = await store.routingsOf(accountSid);
  if (kept.length === 0) return notGiven("no phone number of this account was unrouted");
  const listed = await retrying(() => listPhoneNumbers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (listed.kind === "failed") {
    return notGiven(`the phone numbers could not be listed: ${describeFailure(listed.failure)}`);
  }
  const present = new Map(listed.body.map((number) => [number.sid, number]));
  const outcomes = await pLimit(PARALLEL_REQUESTS).map(kept, async ({ phoneNumberSid: sid, routing }) => {
    const restored = readRouting(routing);
    const standing = standingOf(present.get(sid), restored);
    if (standing !== "unrouted") return { sid, kind: standing };
    const answer = await retrying(() => updateRouting(twilio, accountSid, sid, restored, REQUEST_TIMEOUT_MS), until);
    return answer.kind === "ok" ? GIVEN : { sid, kind: "failed" as const, why: describeFailure(answer.failure) };
  });
  return inAll(outcomes);
}

type Outcome =
  /** It calls what it called before; perhaps by an earlier delivery of this command. */
  | { kind: "given" }
  /** Somebody gave it other webhooks meanwhile. */
  | { kind: "other"; sid: string }
  /** The account has it no more. */
  | { kind: "gone" }
  | { kind: "failed"; sid: string; why: string };

const GIVEN: Outcome = { kind: "given" };

function inAll(outcomes: readonly Outcome[]): GivenBack {
  const failures = outcomes.flatMap((one) => (one.kind === "failed" ? [`${one.sid} (${one.why})`] : []));
  if (failures.length > 0) {
    const of = `${failures.length} of ${outcomes.length} phone numbers`;
    return notGiven(`${of} did not get their webhooks back; ask again: ${failures.join(", ")}`);
  }
  const count = outcomes.filter(({ kind }) => kind === "given").length;
  const left = outcomes.flatMap((one) => (one.kind === "other" ? [one.sid] : []));
  if (count > 0) return { kind: "given", count, left };
  return notGiven(
    left.length > 0
      ? `these phone numbers have other webhooks by now, which stay: ${left.join(", ")}`
      : "the account has none of the phone numbers that were unrouted any more",
  );
}

function standingOf(number: PhoneNumber | undefined, kept: Routing): "unrouted" | "given" | "other" | "gone" {
  if (number === undefined) return "gone";
  if (!isRouted(number)) return "unrouted";
  return isRoutedAs(number, kept) ? "given" : "other";
}

function notGiven(why: string): GivenBack {
  return { kind: "not-given", why };
}
