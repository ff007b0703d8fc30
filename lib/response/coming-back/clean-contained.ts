import pLimit from "p-limit";
import { type Cleaned, cleaned } from "../../incidents/coming-back.ts";
import { wantedTriggers } from "../../triggers/wanted.ts";
import { deleteApiKey, listApiKeys } from "../../twilio/api-keys.ts";
import { retrying } from "../../twilio/backoff.ts";
import type { Answer } from "../../twilio/client.ts";
import { describeFailure } from "../../twilio/failures.ts";
import { isRouted, listPhoneNumbers, type PhoneNumber, UNROUTED, updateRouting } from "../../twilio/phone-numbers.ts";
import { endLiveCalls } from "../end-calls.ts";
import { createMissing } from "./create-missing.ts";
import { type Journey, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";

/** Twilio answers 429 beyond an undocumented number of parallel requests. */
const PARALLEL_REQUESTS = 5;

type Cleaning = (journey: Journey, incidentId: string) => Promise<Omit<Cleaned, "id"> | { failed: string }>;

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
    const outcome = await clean(journey, current.incident.id);
    if ("failed" in outcome) return { kind: "failed", record: current, why: outcome.failed };
    current = await responder.store.save(cleaned(current, { id, ...outcome }, responder.clock.now()));
  }
  return { kind: "on", record: current };
};

async function endCalls({ twilio, accountSid, until }: Journey) {
  const { ended, left, why } = await endLiveCalls(twilio, accountSid, until);
  return left === 0
    ? { what: "calls-ended", why, detail: { ended, left } }
    : { failed: `calls could not be ended: ${left ?? "an unknown number"} left, ${why}` };
}

async function deleteApiKeys({ twilio, accountSid, until }: Journey) {
  const listed = () => retrying(() => listApiKeys(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  const before = await listed();
  if (before.kind === "failed") return failed("the API keys could not be listed", before);
  await pLimit(PARALLEL_REQUESTS).map(before.body, ({ sid }) =>
    retrying(() => deleteApiKey(twilio, accountSid, sid, REQUEST_TIMEOUT_MS), until),
  );
  // Only a list without them proves that they are gone.
  const after = await listed();
  if (after.kind === "failed") return failed("whether the API keys are gone could not be read", after);
  const left = after.body.length;
  const count = before.body.length;
  return left === 0
    ? { what: "api-keys-deleted", why: `${count} API keys were deleted`, detail: { count } }
    : { failed: `${left} of ${count} API keys could not be deleted: ${after.body.map(({ sid }) => sid).join(", ")}` };
}

async function restoreTriggers({ responder, twilio, accountSid, until }: Journey) {
  const wanted = wantedTriggers(responder.policy, accountSid, responder.publicUrl);
  const outcome = await createMissing(twilio, accountSid, wanted, until);
  if (outcome.kind === "failed") return { failed: `the usage triggers could not be restored: ${outcome.why}` };
  const { created } = outcome;
  return { what: "triggers-restored", why: `${created} usage triggers were created`, detail: { count: created } };
}

/** The old webhooks are kept before anything is taken away; `restore-numbers` gives them back. */
async function unrouteNumbers({ responder, twilio, accountSid, until }: Journey, incidentId: string) {
  const listed = () => retrying(() => listPhoneNumbers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  const before = await listed();
  if (before.kind === "failed") return failed("the phone numbers could not be listed", before);
  const routed = before.body.filter(isRouted);
  await pLimit(PARALLEL_REQUESTS).map(routed, async ({ sid, routing }: PhoneNumber) => {
    await responder.store.keepRouting(incidentId, { phoneNumberSid: sid, routing });
    return retrying(() => updateRouting(twilio, accountSid, sid, UNROUTED, REQUEST_TIMEOUT_MS), until);
  });
  const after = await listed();
  if (after.kind === "failed") return failed("whether the phone numbers are unrouted could not be read", after);
  const left = after.body.filter(isRouted).map(({ sid }) => sid);
  const count = routed.length;
  return left.length === 0
    ? { what: "numbers-unrouted", why: `${count} phone numbers call no webhook any more`, detail: { count } }
    : { failed: `phone numbers could not be unrouted: ${left.join(", ")}` };
}

function failed(what: string, { failure }: Extract<Answer<unknown>, { kind: "failed" }>) {
  return { failed: `${what}: ${describeFailure(failure)}` };
}
