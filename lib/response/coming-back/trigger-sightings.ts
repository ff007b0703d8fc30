import pLimit from "p-limit";
import { retrying } from "../../twilio/backoff.ts";
import type { Answer } from "../../twilio/client.ts";
import { fetchUsageTrigger, listUsageTriggers, type UsageTrigger } from "../../twilio/usage-triggers.ts";
import { type Journey, PARALLEL_REQUESTS, REQUEST_TIMEOUT_MS } from "./journey.ts";

/** What Twilio said of single usage triggers in this delivery: its lists may lag behind that. */
export interface TriggerSightings {
  /** Those that it made for us, by SID, as it showed them last. */
  made: Map<string, UsageTrigger>;
  /** The SIDs of those that are not there any more. */
  gone: Set<string>;
}

export function noSightings(): TriggerSightings {
  return { made: new Map(), gone: new Set() };
}

/** A list, with what it does not show yet, and without what it still shows. */
export function withSightings(
  listed: readonly UsageTrigger[],
  { made, gone }: TriggerSightings,
): readonly UsageTrigger[] {
  const unlisted = [...made.values()].filter(({ sid }) => !listed.some((trigger) => trigger.sid === sid));
  return [...listed, ...unlisted].filter(({ sid }) => !gone.has(sid));
}

/**
 * The account's usage triggers, each that counts read itself.
 * @param sids of those that should be there
 * @param counts which others of the list count, too
 */
export async function currentTriggers(
  journey: Journey,
  sids: readonly string[],
  counts: (trigger: UsageTrigger) => boolean,
): Promise<Answer<readonly UsageTrigger[]>> {
  const { twilio, accountSid, until, sightings } = journey;
  const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (list.kind === "failed") return list;
  const known = withSightings(list.body, sightings);
  const read = new Set([...sids, ...sightings.made.keys(), ...known.filter(counts).map(({ sid }) => sid)]);
  const current = new Map(known.map((trigger) => [trigger.sid, trigger]));
  const answers = await pLimit(PARALLEL_REQUESTS).map([...read], async (sid) => {
    const answer = await retrying(() => fetchUsageTrigger(twilio, accountSid, sid, REQUEST_TIMEOUT_MS), until);
    if (answer.kind === "ok") {
      current.set(sid, answer.body);
      if (sightings.made.has(sid)) sightings.made.set(sid, answer.body);
    } else if (answer.failure.kind === "not-found") {
      current.delete(sid);
      sightings.made.delete(sid);
      sightings.gone.add(sid);
    } else {
      return answer;
    }
    return undefined;
  });
  return answers.find((answer) => answer !== undefined) ?? { kind: "ok", body: [...current.values()] };
}
