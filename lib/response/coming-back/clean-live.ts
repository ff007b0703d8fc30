import type { IncidentRecord } from "../../incidents/change.ts";
import { cleaned } from "../../incidents/coming-back.ts";
import { fetchAccount } from "../../twilio/accounts.ts";
import { createSecondaryAuthToken, deleteSecondaryAuthToken, promoteAuthToken } from "../../twilio/auth-tokens.ts";
import { retrying } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import { describeFailure, type TwilioFailure } from "../../twilio/failures.ts";
import { compareMarks } from "../../twilio/token-mark.ts";
import { limitedTo } from "../time-limit.ts";
import { type Journey, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";
import { narrowVoiceCountries } from "./narrow-voice-countries.ts";

/**
 * What only the account's own credentials can do, and they answer 401 until it is active. The token first: whoever has
 * the old one could undo the rest. A failure here suspends the account again.
 */
export const cleanLive: Step = async (journey, record) => {
  const rotated = await rotateAuthToken(journey, record);
  return rotated.kind === "on" ? narrowCountries(journey, rotated.record) : rotated;
};

const rotateAuthToken: Step = async (journey, record) => {
  if (!isDue(record, "auth-token")) return { kind: "on", record };
  const { responder } = journey;
  const failure = (await isRotated(journey, record)) ? undefined : await rotate(journey);
  if (failure !== undefined) return { kind: "failed", record, why: `its auth token could not be changed: ${failure}` };
  if (!(await isRotated(journey, record))) {
    return { kind: "failed", record, why: "its auth token still reads as the old one after the change" };
  }
  const why = "it has a new auth token; operators of the parent account read it from Twilio";
  const change = cleaned(
    record,
    { id: "auth-token", what: "auth-token-rotated", why, detail: {} },
    responder.clock.now(),
  );
  return { kind: "on", record: await responder.store.save(change) };
};

const narrowCountries: Step = async (journey, record) => {
  if (!isDue(record, "voice-countries")) return { kind: "on", record };
  const { responder } = journey;
  const own = await ownClient(journey);
  if (typeof own === "string") return { kind: "failed", record, why: own };
  const { countries } = reactivationOf(record);
  const outcome = await narrowVoiceCountries(own, countries, journey.until);
  if (outcome.kind === "failed") {
    return { kind: "failed", record, why: `its voice permissions could not be narrowed: ${outcome.why}` };
  }
  const change = cleaned(
    record,
    {
      id: "voice-countries",
      what: "voice-countries-narrowed",
      why: `calls may only go to ${countries.join(", ")}; ${outcome.disabled} other countries were switched off`,
      detail: { countries: countries.join(", "), disabled: outcome.disabled },
    },
    responder.clock.now(),
  );
  return { kind: "on", record: await responder.store.save(change) };
};

function isDue(record: IncidentRecord, id: "auth-token" | "voice-countries"): boolean {
  const { cleanup, cleaned: done } = reactivationOf(record);
  return cleanup.includes(id) && !done.includes(id);
}

/** Whether the account has another token than when it was armed: by us, perhaps in a delivery that was cut. */
async function isRotated(journey: Journey, { rotatingFrom }: IncidentRecord): Promise<boolean> {
  const token = await currentToken(journey);
  if (rotatingFrom === null || token.kind === "unknown") return false;
  return compareMarks(rotatingFrom, await journey.responder.markOf(journey.accountSid, token.token)) === "changed";
}

/**
 * A secondary token that is there already may be the attacker's: promoting it would hand the account over, so it is
 * deleted first. The new token is neither kept nor told. https://www.twilio.com/docs/iam/api/authtoken
 * @returns why it failed; undefined when Twilio took all three requests.
 */
async function rotate(journey: Journey): Promise<string | undefined> {
  const own = await ownClient(journey);
  if (typeof own === "string") return own;
  const deleted = await retrying(() => deleteSecondaryAuthToken(own, REQUEST_TIMEOUT_MS), journey.until);
  if (deleted.kind === "failed" && deleted.failure.kind !== "not-found") return describeFailure(deleted.failure);
  const made = await createSecondaryAuthToken(own, REQUEST_TIMEOUT_MS);
  if (made.kind === "failed") return describeFailure(made.failure);
  const promoted = await promoteAuthToken(own, REQUEST_TIMEOUT_MS);
  if (promoted.kind === "failed")
    return mayHaveWorked(promoted.failure) ? undefined : describeFailure(promoted.failure);
  // Whoever has the old token may have put one of his own in between.
  return promoted.body === made.body ? undefined : "another token than the one that was made for it was promoted";
}

// The reading that follows tells.
function mayHaveWorked({ status }: TwilioFailure): boolean {
  return status === null;
}

/** @returns why there is none, in words. */
async function ownClient(journey: Journey): Promise<TwilioClient | string> {
  const { responder, accountSid, until } = journey;
  const token = await currentToken(journey);
  return token.kind === "known" ? limitedTo(responder.subaccount(accountSid, token.token), until) : token.why;
}

type CurrentToken = { kind: "known"; token: string } | { kind: "unknown"; why: string };

async function currentToken({ twilio, accountSid, until }: Journey): Promise<CurrentToken> {
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "failed") return { kind: "unknown", why: describeFailure(account.failure) };
  const token = account.body.authToken;
  return token === undefined
    ? { kind: "unknown", why: "Twilio does not show us the account's auth token" }
    : { kind: "known", token };
}
