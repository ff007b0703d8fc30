import pLimit from "p-limit";
import type { RestoreNumbersCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, numbersRestored, restoringGoesOn } from "../incidents/coming-back.ts";
import { wishOf } from "../incidents/wish.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import { describeFailure, type TwilioFailure } from "../twilio/failures.ts";
import {
  fetchPhoneNumber,
  isRouted,
  isRoutedAs,
  listPhoneNumbers,
  type PhoneNumber,
  type Routing,
  readRouting,
  updateRouting,
} from "../twilio/phone-numbers.ts";
import { named } from "./coming-back/delete-keys.ts";
import type { CarriedOut } from "./reactivate.ts";
import { CALLS_SHARE, MOST_TRIES, type Order, type Responder, share } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";

const REQUEST_TIMEOUT_MS = 4000;
const PARALLEL_REQUESTS = 10;

/**
 * Gives the phone numbers the webhooks back that `unroute-numbers` took from them, in this incident or an earlier one of
 * the account. A number that somebody gave other ones since keeps those. Can be repeated; what does not fit into one
 * delivery, the next one does.
 */
export async function restoreNumbers(
  responder: Responder,
  order: Order<RestoreNumbersCommand>,
  found: IncidentRecord,
): Promise<CarriedOut> {
  const { store, clock } = responder;
  const outcome = await giveBack(responder, found.incident.accountSid, share(responder, order, CALLS_SHARE));
  const wish = wishOf(order.command);
  const now = clock.now();
  const record = await store.change(found, (record) => {
    switch (outcome.kind) {
      case "given":
        return numbersRestored(record, wish, outcome, now);
      case "unfinished":
        return restoringGoesOn(record, wish, outcome, now);
      case "not-given":
        return commandRefused(record, wish, outcome.why, now);
    }
  });
  const isUnfinished = outcome.kind === "unfinished" && order.tries < MOST_TRIES;
  return isUnfinished ? { record, again: "there are more phone numbers to give their webhooks back to" } : { record };
}

type GivenBack =
  | { kind: "given"; count: number; left: readonly string[] }
  /** The time was over, and some of them have theirs back since. */
  | { kind: "unfinished"; count: number; of: number }
  | { kind: "not-given"; why: string };

async function giveBack({ store, twilio: patient }: Responder, accountSid: string, until: Until): Promise<GivenBack> {
  const twilio = limitedTo(patient, until);
  const kept = await store.routingsOf(accountSid);
  if (kept.length === 0) return notGiven("no phone number of this account was unrouted");
  const listed = await retrying(() => listPhoneNumbers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (listed.kind === "failed") {
    return notGiven(`the phone numbers could not be listed: ${describeFailure(listed.failure)}`);
  }
  const present = new Map(listed.body.map((number) => [number.sid, number]));
  const outcomes = await pLimit(PARALLEL_REQUESTS).map(
    kept,
    async ({ phoneNumberSid: sid, routing }): Promise<Outcome> => {
      if (until.clock.now().getTime() >= until.deadline) return { kind: "left", sid };
      const restored = readRouting(routing);
      const standing = await standingNow(sid, restored);
      if (standing !== "unrouted") return typeof standing === "string" ? { sid, kind: standing } : standing;
      const answer = await retrying(() => updateRouting(twilio, accountSid, sid, restored, REQUEST_TIMEOUT_MS), until);
      return answer.kind === "ok" ? { kind: "given", isNew: true } : failedAt(sid, answer.failure);
    },
  );
  return inAll(outcomes);

  /** Lists may lag: what does not look as it was left is read itself. */
  async function standingNow(sid: string, restored: Routing): Promise<Standing | Outcome> {
    const standing = standingOf(present.get(sid), restored);
    if (standing === "unrouted" || standing === "given") return standing;
    const read = await retrying(() => fetchPhoneNumber(twilio, accountSid, sid, REQUEST_TIMEOUT_MS), until);
    if (read.kind === "ok") return standingOf(read.body, restored);
    return read.failure.kind === "not-found" ? "gone" : failedAt(sid, read.failure);
  }
}

type Outcome =
  /** It calls what it called before; perhaps by an earlier delivery of this command. */
  | { kind: "given"; isNew?: true }
  /** Somebody gave it other webhooks meanwhile. */
  | { kind: "other"; sid: string }
  /** The account has it no more. */
  | { kind: "gone" }
  /** There was no time for it. */
  | { kind: "left"; sid: string }
  | { kind: "failed"; sid: string; why: string };

function failedAt(sid: string, failure: TwilioFailure): Outcome {
  return { kind: "failed", sid, why: describeFailure(failure) };
}

function inAll(outcomes: readonly Outcome[]): GivenBack {
  const count = outcomes.filter(({ kind }) => kind === "given").length;
  const isLeft = outcomes.some(({ kind }) => kind === "left");
  if (isLeft && outcomes.some((one) => one.kind === "given" && one.isNew)) {
    return { kind: "unfinished", count, of: outcomes.length };
  }
  const failures = outcomes.flatMap((one) => {
    if (one.kind === "left") return [`${one.sid} (the time was over)`];
    return one.kind === "failed" ? [`${one.sid} (${one.why})`] : [];
  });
  if (failures.length > 0) {
    const of = `${failures.length} of ${outcomes.length} phone numbers`;
    return notGiven(`${of} did not get their webhooks back; ask again: ${named(failures)}`);
  }
  const others = outcomes.flatMap((one) => (one.kind === "other" ? [one.sid] : []));
  if (count > 0) return { kind: "given", count, left: others };
  return notGiven(
    others.length > 0
      ? `these phone numbers have other webhooks by now, which stay: ${others.join(", ")}`
      : "the account has none of the phone numbers that were unrouted any more",
  );
}

type Standing = "unrouted" | "given" | "other" | "gone";

function standingOf(number: PhoneNumber | undefined, kept: Routing): Standing {
  if (number === undefined) return "gone";
  if (!isRouted(number)) return "unrouted";
  return isRoutedAs(number, kept) ? "given" : "other";
}

function notGiven(why: string): GivenBack {
  return { kind: "not-given", why };
}
