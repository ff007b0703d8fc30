import type { IncidentRecord } from "../../incidents/change.ts";
import { numbersChecked, undone } from "../../incidents/coming-back.ts";
import type { PhoneNumber } from "../../twilio/phone-numbers.ts";
import { named } from "./delete-keys.ts";
import { type Journey, mayGoOn, type Progress, reactivationOf, type Step } from "./journey.ts";
import { type Unrouting, unrouteNumbers } from "./unroute-numbers.ts";

/**
 * Another look at its phone numbers, where all were to call no webhook: whoever had its token when it became active could
 * route them anew. Those webhooks are not kept: nobody wants them back.
 */
export const unrouteAnew: Step = async (journey, record) =>
  isAsked(record) ? (await lookAgain(journey, record)).progress : { kind: "on", record };

/** The last look: what it proves is written down. */
export const proveUnrouted: Step = async (journey, record) => {
  if (!isAsked(record)) return { kind: "on", record };
  const { outcome, progress } = await lookAgain(journey, record);
  if (outcome.kind !== "unrouted" || progress.kind !== "on") return progress;
  const { store, clock } = journey.responder;
  const now = clock.now();
  const proven = await store.change(progress.record, (known) => numbersChecked(known, outcome.all, now));
  return { kind: "on", record: proven };
};

async function lookAgain(
  journey: Journey,
  record: IncidentRecord,
): Promise<{ outcome: Unrouting; progress: Progress }> {
  const outcome = await unrouteNumbers(journey, null);
  if (outcome.kind === "failed") return { outcome, progress: { kind: "failed", record, why: outcome.why } };
  const saved = outcome.unrouted.length === 0 ? record : await noted(journey, record, outcome.unrouted);
  if (outcome.kind === "unrouted") return { outcome, progress: { kind: "on", record: saved } };
  const kind = mayGoOn(journey) ? "later" : "failed";
  return { outcome, progress: { kind, record: saved, why: outcome.why } };
}

function noted({ responder }: Journey, record: IncidentRecord, unrouted: readonly PhoneNumber[]) {
  const sids = named(unrouted.map(({ sid }) => sid));
  const why = `given webhooks while it was becoming active, and unrouted again: ${sids}`;
  const what = { what: "numbers-unrouted-anew", why, count: unrouted.length } as const;
  const now = responder.clock.now();
  return responder.store.change(record, (known) => undone(known, what, now));
}

function isAsked(record: IncidentRecord): boolean {
  return reactivationOf(record).cleanup.includes("unroute-numbers");
}
