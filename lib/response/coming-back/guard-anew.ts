import type { IncidentRecord } from "../../incidents/change.ts";
import { guardsRestored } from "../../incidents/coming-back.ts";
import { guardKey } from "../../policy/probation.ts";
import { countedFrom, isCallingUs } from "../../triggers/guards.ts";
import { isMarked, isThere, type WantedTrigger, wantedTriggers } from "../../triggers/wanted.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import type { UsageTrigger } from "../../twilio/usage-triggers.ts";
import { guardsOf } from "./arm.ts";
import { createMissing } from "./create-missing.ts";
import { type Journey, reactivationOf, type Step } from "./journey.ts";
import { currentTriggers } from "./trigger-sightings.ts";

/**
 * Another look at its guards once it is active: whoever had its token in that moment could remove them, or turn them
 * elsewhere. What is missing is made anew, and so are the limits' own triggers where they were to be restored.
 */
export const guardAnew: Step = async (journey, record) => {
  const { responder } = journey;
  const list = await currentTriggers(journey, reactivationOf(record).guards, isMarked);
  if (list.kind === "failed") {
    return { kind: "failed", record, why: `whether it is guarded could not be read: ${wordsFor(list.failure)}` };
  }
  const { standing, lost } = surveyed(list.body, journey, record);
  const others = ordinaryMissing(list.body, journey, record);
  const created = lost.length + others.length;
  if (created === 0) return { kind: "on", record };
  const creation = await createMissing(journey, [...lost, ...others]);
  if (creation.kind === "failed") {
    return { kind: "failed", record, why: `its usage triggers could not be made anew: ${creation.why}` };
  }
  const made = creation.there.filter((trigger) => lost.some((wanted) => isThere(trigger, wanted)));
  const guards = [...standing, ...made].map(({ sid }) => sid);
  const now = responder.clock.now();
  const restored = await responder.store.change(record, (current) => guardsRestored(current, { guards, created }, now));
  return { kind: "on", record: restored };
};

/**
 * A guard is known by its SID, because Twilio lets nobody change what it watches, or from which value on. One that fired
 * stands, too: it has called us. Those made anew get the value that the first ones had, so that what was spent meanwhile
 * counts.
 */
function surveyed(triggers: readonly UsageTrigger[], journey: Journey, record: IncidentRecord) {
  const { guards } = reactivationOf(record);
  const ours = triggers.filter(({ sid }) => guards.includes(sid));
  const wanted = guardsOf(journey, record).map((one) => countedFrom(record.passed[guardKey(one.limit, one)], one));
  return {
    standing: ours.filter((trigger) => wanted.some((one) => isCallingUs(trigger, one))),
    lost: wanted.filter((one) => !ours.some((trigger) => isCallingUs(trigger, one))),
  };
}

function ordinaryMissing(
  triggers: readonly UsageTrigger[],
  { responder, accountSid }: Journey,
  record: IncidentRecord,
): WantedTrigger[] {
  if (!reactivationOf(record).cleanup.includes("triggers")) return [];
  const wanted = wantedTriggers(responder.policy, accountSid, responder.publicUrl);
  return wanted.filter((one) => !triggers.some((trigger) => isThere(trigger, one)));
}
