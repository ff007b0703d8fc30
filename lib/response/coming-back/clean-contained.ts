import pLimit from "p-limit";
import { type Cleaned, cleaned } from "../../incidents/coming-back.ts";
import { wantedTriggers } from "../../triggers/wanted.ts";
import { retrying } from "../../twilio/backoff.ts";
import type { Answer } from "../../twilio/client.ts";
import { describeFailure } from "../../twilio/failures.ts";
import {
  destinations,
  isRouted,
  listPhoneNumbers,
  type PhoneNumber,
  UNROUTED,
  updateRouting,
} from "../../twilio/phone-numbers.ts";
import { endLiveCalls } from "../end-calls.ts";
import { createMissing } from "./create-missing.ts";
import { deleteKeysBut } from "./delete-keys.ts";
import { type Journey, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";

/** Twilio answers 429 beyond an undocumented number of parallel requests. */
const PARALLEL_REQUESTS = 5;

type Cleaning = (journey: Journey) => Promise<Omit<Cleaned, "id"> | { failed: string }>;

/**
 * What is cleaned while the account is suspended, with the parent's credentials, in this order: nobody can use a key
 * between its deletion and the activation.
 */
const CLEANINGS = [
  ["live-calls", endCalls],
  ["api-keys", deleteApiKeys],
  ["triggers", restoreTriggers],
  ["unroute-numbers", unrouteNumbers],
] as const satisfies readonly (readonly [Cleaned["id"], Cleaning])[];

export const cleanContained: Step = async (journey, record) => {
  const { responder } = journey;
  let current = record;
  for (const [id, clean] of CLEANINGS) {
    const { cleanup, cleaned: done } = reactivationOf(current);
    if (!cleanup.includes(id) || done.includes(id)) continue;
    const outcome = await clean(journey);
    if ("failed" in outcome) return { kind: "failed", record: current, why: outcome.failed };
    const now = responder.clock.now();
    current = await responder.store.change(current, (known) => cleaned(known, { id, ...outcome }, now));
  }
  return { kind: "on", record: current };
};

async function endCalls({ twilio, accountSid, until }: Journey) {
  const { ended, left, why } = await endLiveCalls(twilio, accountSid, until);
  return left === 0
    ? { what: "calls-ended", why, detail: { ended, left } }
    : { failed: `calls could not be ended: ${left ?? "an unknown number"} left, ${why}` };
}

async function deleteApiKeys(journey: Journey) {
  const deletion = await deleteKeysBut([], journey);
  if (deletion.kind === "failed") return { failed: deletion.why };
  const count = deletion.deleted.length;
  return {
    what: "api-keys-deleted",
    why: count === 1 ? "1 API key was deleted" : `${count} API keys were deleted`,
    detail: { count },
  };
}

async function restoreTriggers({ responder, twilio, accountSid, until }: Journey) {
  const wanted = wantedTriggers(responder.policy, accountSid, responder.publicUrl);
  const outcome = await createMissing(twilio, accountSid, wanted, until);
  if (outcome.kind === "failed") return { failed: `the usage triggers could not be restored: ${outcome.why}` };
  const { created } = outcome;
  return { what: "triggers-restored", why: `${created} usage triggers were created`, detail: { count: created } };
}

/** The old webhooks are kept before anything is taken away; `restore-numbers` gives them back. */
async function unrouteNumbers({ responder, order, twilio, accountSid, until }: Journey) {
  const listed = () => retrying(() => listPhoneNumbers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  const before = await listed();
  if (before.kind === "failed") return failed("the phone numbers could not be listed", before);
  const routed = before.body.filter(isRouted);
  await pLimit(PARALLEL_REQUESTS).map(routed, async ({ sid, routing }: PhoneNumber) => {
    await responder.store.keepRouting(accountSid, { phoneNumberSid: sid, routing }, order.command.id);
    return retrying(() => updateRouting(twilio, accountSid, sid, UNROUTED, REQUEST_TIMEOUT_MS), until);
  });
  const after = await listed();
  if (after.kind === "failed") return failed("whether the phone numbers are unrouted could not be read", after);
  const left = after.body.filter(isRouted).map(({ sid }) => sid);
  const count = routed.length;
  return left.length === 0
    ? {
        what: "numbers-unrouted",
        why: `${ofPhoneNumbers(count)} no webhook any more${kept(routed)}`,
        detail: { count },
      }
    : { failed: `phone numbers could not be unrouted: ${left.join(", ")}` };
}

const ofPhoneNumbers = (count: number) => (count === 1 ? "1 phone number calls" : `${count} phone numbers call`);

/** Whoever gives them back should see beforehand where that leads: an address may be the attacker's. */
const MOST_NAMED = 20;

function kept(routed: readonly PhoneNumber[]): string {
  if (routed.length === 0) return "";
  const named = routed.slice(0, MOST_NAMED).map(({ sid, routing }) => `${sid} (${destinations(routing)})`);
  const more = routed.length > named.length ? `, and ${routed.length - named.length} more` : "";
  return `; kept of each, to be given back: ${named.join(", ")}${more}`;
}

function failed(what: string, { failure }: Extract<Answer<unknown>, { kind: "failed" }>) {
  return { failed: `${what}: ${describeFailure(failure)}` };
}
