import { type Cleaned, cleaned, cleaningGoesOn } from "../../incidents/coming-back.ts";
import { wantedTriggers } from "../../triggers/wanted.ts";
import { apiKeysOf } from "../../twilio/api-keys.ts";
import { destinations, type PhoneNumber } from "../../twilio/phone-numbers.ts";
import { endLiveCalls } from "../end-calls.ts";
import { createMissing } from "./create-missing.ts";
import { deleteKeys } from "./delete-keys.ts";
import { type Journey, mayGoOn, reactivationOf, type Step } from "./journey.ts";
import { unrouteNumbers } from "./unroute-numbers.ts";

type Cleaning =
  | ({ kind: "clean" } & Omit<Cleaned, "id">)
  /** Some of it is done, and the time was over. */
  | { kind: "unfinished"; count: number; done: string; why: string }
  | { kind: "failed"; why: string };

/** @param soFar what earlier deliveries of the command did of it. */
type Clean = (journey: Journey, soFar: number) => Promise<Cleaning>;

/**
 * What is cleaned while the account is suspended, with the parent's credentials, in this order: nobody can use a key
 * between its deletion and the activation.
 */
const CLEANINGS = [
  ["live-calls", endCalls],
  ["api-keys", deleteApiKeys],
  ["triggers", restoreTriggers],
  ["unroute-numbers", unroute],
] as const satisfies readonly (readonly [Cleaned["id"], Clean])[];

export const cleanContained: Step = async (journey, record) => {
  const { store, clock } = journey.responder;
  let current = record;
  for (const [id, clean] of CLEANINGS) {
    const { cleanup, cleaned: done } = reactivationOf(current);
    if (!cleanup.includes(id) || done.includes(id)) continue;
    const outcome = await clean(journey, current.cleanedSoFar[id] ?? 0);
    if (outcome.kind === "failed") return { kind: "failed", record: current, why: outcome.why };
    const now = clock.now();
    if (outcome.kind === "clean") {
      current = await store.change(current, (known) => cleaned(known, { id, ...outcome }, now));
      continue;
    }
    current = await store.change(current, (known) => cleaningGoesOn(known, { id, ...outcome }, now));
    return { kind: mayGoOn(journey) ? "later" : "failed", record: current, why: outcome.why };
  }
  return { kind: "on", record: current };
};

async function endCalls({ twilio, accountSid, until }: Journey): Promise<Cleaning> {
  const { ended, left, why } = await endLiveCalls(twilio, accountSid, until);
  return left === 0
    ? { kind: "clean", what: "calls-ended", why, detail: { ended, left } }
    : { kind: "failed", why: `calls could not be ended: ${left ?? "an unknown number"} left, ${why}` };
}

async function deleteApiKeys({ twilio, accountSid, until }: Journey, soFar: number): Promise<Cleaning> {
  const deletion = await deleteKeys({ seenBy: [apiKeysOf(twilio, accountSid)], isKept: () => false }, until);
  if (deletion.kind === "failed") return deletion;
  const count = deletion.deleted.length;
  const total = soFar + count;
  const done = total === 1 ? "1 API key was deleted" : `${total} API keys were deleted`;
  if (deletion.kind === "unfinished") return { kind: "unfinished", count, done, why: deletion.why };
  return { kind: "clean", what: "api-keys-deleted", why: done, detail: { count: total }, count };
}

async function restoreTriggers(journey: Journey, soFar: number): Promise<Cleaning> {
  const { responder, accountSid } = journey;
  const wanted = wantedTriggers(responder.policy, accountSid, responder.publicUrl);
  const outcome = await createMissing(journey, wanted);
  if (outcome.kind === "failed")
    return { kind: "failed", why: `the usage triggers could not be restored: ${outcome.why}` };
  const count = outcome.created;
  const total = soFar + count;
  return {
    kind: "clean",
    what: "triggers-restored",
    why: `${total} usage triggers were created`,
    detail: { count: total },
    count,
  };
}

/** The old webhooks are kept before anything is taken away; `restore-numbers` gives them back. */
async function unroute(journey: Journey, soFar: number): Promise<Cleaning> {
  const { responder, order, accountSid } = journey;
  const keep = ({ sid, routing }: PhoneNumber) =>
    responder.store.keepRouting(accountSid, { phoneNumberSid: sid, routing }, order.command.id);
  const outcome = await unrouteNumbers(journey, keep);
  if (outcome.kind === "failed") return outcome;
  const { unrouted } = outcome;
  const count = unrouted.length;
  const total = soFar + count;
  const done = total === 1 ? "1 phone number was unrouted" : `${total} phone numbers were unrouted`;
  if (outcome.kind === "unfinished") return { kind: "unfinished", count, done, why: outcome.why };
  const why = `${done}${kept(unrouted, total)}`;
  return { kind: "clean", what: "numbers-unrouted", why, detail: { count: total }, count };
}

/** Whoever gives them back should see beforehand where that leads: an address may be the attacker's. */
const MOST_NAMED = 20;

function kept(unrouted: readonly PhoneNumber[], total: number): string {
  if (unrouted.length === 0) return "";
  const shown = unrouted.slice(0, MOST_NAMED).map(({ sid, routing }) => `${sid} (${destinations(routing)})`);
  const more = total > shown.length ? `, and ${total - shown.length} more` : "";
  return `; kept of each, to be given back: ${shown.join(", ")}${more}`;
}
