import type { IncidentRecord } from "../../incidents/change.ts";
import { keysNoted, newKeysDeleted } from "../../incidents/coming-back.ts";
import { type ApiKey, apiKeysOf, ownApiKeys } from "../../twilio/api-keys.ts";
import { retrying } from "../../twilio/backoff.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { wholeSecond } from "../judge-checks.ts";
import { deleteKeys, named } from "./delete-keys.ts";
import { isArmed, mayGoOn, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";
import { clientWith, currentToken } from "./own-client.ts";

/**
 * Which API keys there are while it is suspended, where they were acknowledged and its token was not: whoever holds that
 * token can make another one as soon as the account is active, and a changed token locks out no key.
 */
export const noteKeys: Step = async (journey, record) => {
  const { responder, twilio, accountSid, until } = journey;
  const isKnown = record.knownKeys !== null || isArmed(record);
  if (isKnown || !isAsked(record, "auth-token") || isAsked(record, "api-keys")) return { kind: "on", record };
  const keys = await retrying(() => apiKeysOf(twilio, accountSid).list(REQUEST_TIMEOUT_MS), until);
  if (keys.kind === "failed") {
    return { kind: "failed", record, why: `its API keys could not be listed: ${wordsFor(keys.failure)}` };
  }
  const sids = keys.body.map(({ sid }) => sid);
  return { kind: "on", record: await responder.store.change(record, (current) => keysNoted(current, sids)) };
};

/**
 * Once the old token is dead: those that were made with it. All, where all were to be deleted, and with them the restricted
 * and main ones, which Twilio shows to the account itself alone.
 */
export const deleteNewKeys: Step = async (journey, record) => {
  // Who has the token was acknowledged, too: a key of theirs is no news.
  if (!isAsked(record, "api-keys") && record.knownKeys === null) return { kind: "on", record };
  const { responder, twilio, accountSid, until } = journey;
  const current = await currentToken(journey);
  if (current.kind === "unknown") return { kind: "failed", record, why: current.why };
  const seenBy = [apiKeysOf(twilio, accountSid), ownApiKeys(clientWith(journey, current.token))];
  const deletion = await deleteKeys({ seenBy, isKept: (key) => isKept(key, record) }, until);
  if (deletion.kind === "failed") return { kind: "failed", record, why: deletion.why };
  const saved = deletion.deleted.length === 0 ? record : await noted(deletion.deleted);
  if (deletion.kind === "deleted") return { kind: "on", record: saved };
  return { kind: mayGoOn(journey) ? "later" : "failed", record: saved, why: deletion.why };

  async function noted(deleted: readonly ApiKey[]): Promise<IncidentRecord> {
    const now = responder.clock.now();
    const what = { sids: deleted.map(({ sid }) => sid), why: whatTheyWere(deleted, record) };
    return responder.store.change(record, (known) => newKeysDeleted(known, what, now));
  }
};

/** Those that were not listed while it was suspended are from before that, or new: then they are not its own. */
function isKept(key: ApiKey, record: IncidentRecord): boolean {
  if (isAsked(record, "api-keys")) return false;
  return record.knownKeys?.includes(key.sid) === true || isFromBefore(key, record);
}

/** While it is suspended, its own credentials make none. */
function isFromBefore({ dateCreated }: ApiKey, { incident: { suspendedAt } }: IncidentRecord): boolean {
  return dateCreated !== null && suspendedAt !== null && dateCreated < wholeSecond(suspendedAt);
}

function whatTheyWere(deleted: readonly ApiKey[], record: IncidentRecord): string {
  const [old, made] = [true, false].map((old) => deleted.filter((key) => isFromBefore(key, record) === old));
  const parts = [
    [made, "made while it was becoming active"],
    [old, "shown by Twilio to the account itself alone (restricted or main ones)"],
  ] as const;
  return parts
    .filter(([keys]) => keys !== undefined && keys.length > 0)
    .map(([keys = [], what]) => `${what}: ${named(keys.map(({ sid }) => sid))}`)
    .join("; ");
}

function isAsked(record: IncidentRecord, id: "auth-token" | "api-keys"): boolean {
  return reactivationOf(record).cleanup.includes(id);
}
