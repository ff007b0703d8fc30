import type { IncidentRecord } from "../../incidents/change.ts";
import { keysNoted, newKeysDeleted } from "../../incidents/coming-back.ts";
import { listApiKeys } from "../../twilio/api-keys.ts";
import { retrying } from "../../twilio/backoff.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { deleteKeysBut } from "./delete-keys.ts";
import { isArmed, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";

/**
 * Which API keys there are while it is suspended, where they were acknowledged and its token was not: whoever holds that
 * token can make another one as soon as the account is active, and a changed token locks out no key.
 */
export const noteKeys: Step = async (journey, record) => {
  const { responder, twilio, accountSid, until } = journey;
  const isKnown = record.knownKeys !== null || isArmed(record);
  if (isKnown || !isAsked(record, "auth-token") || isAsked(record, "api-keys")) return { kind: "on", record };
  const keys = await retrying(() => listApiKeys(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (keys.kind === "failed") {
    return { kind: "failed", record, why: `its API keys could not be listed: ${wordsFor(keys.failure)}` };
  }
  const sids = keys.body.map(({ sid }) => sid);
  return { kind: "on", record: await responder.store.change(record, (current) => keysNoted(current, sids)) };
};

/** Once the old token is dead: those that were made with it. All, where all were to be deleted. */
export const deleteNewKeys: Step = async (journey, record) => {
  const kept = isAsked(record, "api-keys") ? [] : record.knownKeys;
  // Who has the token was acknowledged, too: a key of theirs is no news.
  if (kept === null) return { kind: "on", record };
  const deletion = await deleteKeysBut(kept, journey);
  if (deletion.kind === "failed") return { kind: "failed", record, why: deletion.why };
  const { deleted } = deletion;
  if (deleted.length === 0) return { kind: "on", record };
  const { store, clock } = journey.responder;
  const now = clock.now();
  return { kind: "on", record: await store.change(record, (current) => newKeysDeleted(current, deleted, now)) };
};

function isAsked(record: IncidentRecord, id: "auth-token" | "api-keys"): boolean {
  return reactivationOf(record).cleanup.includes(id);
}
