import type { IncidentRecord } from "../../incidents/change.ts";
import { cleaned, rotating, turningBack } from "../../incidents/coming-back.ts";
import { createSecondaryAuthToken, deleteSecondaryAuthToken, promoteAuthToken } from "../../twilio/auth-tokens.ts";
import { retrying, waitToRetry } from "../../twilio/backoff.ts";
import { describeFailure } from "../../twilio/failures.ts";
import { compareMarks, type TokenMark } from "../../twilio/token-mark.ts";
import { isDue, type Journey, type Progress, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";
import { clientWith, currentToken } from "./own-client.ts";

/** In one delivery. Each is a moment longer in which whoever has the old token can use it. */
const MOST_TRIES = 3;

const STOLEN = "somebody else changed its auth token while it was active";

/**
 * Gives it a new auth token, which is neither kept nor told. Whoever holds the old one works with it until then, and can
 * promote a secondary token as well as we can, ours included: Twilio's answer then tells him its value. So what counts is
 * neither that the token is another one nor that it is the one we made, but that Twilio answered our own promotion with it:
 * from then on the old one is refused, and nobody else has seen the new one. Anything else is tried again.
 *
 * Where it became one that we did not make, somebody is at work in the account: he is locked out, and the account goes back.
 */
export const rotateAuthToken: Step = async (journey, record) => {
  if (!isDue(record, "auth-token")) return { kind: "on", record };
  let tried = await tryToRotate(journey, record);
  let tries = 1;
  for (; tried.kind === "failed" && tries < MOST_TRIES; tries++) {
    if (!(await waitToRetry(journey.until, tries))) break;
    tried = await tryToRotate(journey, tried.record);
  }
  return tried.kind === "rotated" ? rotated(journey, tried.record, tries) : notRotated(tried);
};

async function rotated({ responder }: Journey, record: IncidentRecord, tries: number): Promise<Progress> {
  const why = "it has a new auth token; operators of the parent account read it from Twilio";
  const what = { id: "auth-token", what: "auth-token-rotated", why, detail: { tries } } as const;
  const now = responder.clock.now();
  const saved = await responder.store.change(record, (current) => cleaned(current, what, now));
  const { failure } = reactivationOf(saved);
  if (failure === null) return { kind: "on", record: saved };
  return { kind: "failed", record: saved, why: `${failure}; we have changed it once more, so that nobody else has it` };
}

function notRotated({ record, why }: Extract<Tried, { kind: "failed" }>): Progress {
  const { failure } = reactivationOf(record);
  const said = `its auth token could not be changed: ${why}`;
  return { kind: "failed", record, why: failure === null ? said : `${failure}; ${said}` };
}

type Tried = { kind: "rotated"; record: IncidentRecord } | { kind: "failed"; record: IncidentRecord; why: string };

/** https://www.twilio.com/docs/iam/api/authtoken */
async function tryToRotate(journey: Journey, record: IncidentRecord): Promise<Tried> {
  const current = await currentToken(journey);
  if (current.kind === "unknown") return { kind: "failed", record, why: current.why };
  const looked = await lookForOthers(journey, record, current.token);
  const made = await makeSecondary(journey, current.token);
  if (made.kind === "failed") return { ...made, record: looked };
  const marked = await marking(journey, looked, made.token);
  const why = await promote(journey, current.token, made.token);
  return why === undefined ? { kind: "rotated", record: marked } : { kind: "failed", record: marked, why };
}

/**
 * Nobody but us and whoever is not meant to be there changes the token of an account that is just coming back. Written
 * down first, so that a delivery that is cut here leads back, too.
 */
async function lookForOthers(journey: Journey, record: IncidentRecord, token: string): Promise<IncidentRecord> {
  const { responder, accountSid } = journey;
  const mark = await responder.markOf(accountSid, token);
  if (!isForeign(mark, record) || reactivationOf(record).failure !== null) return record;
  const now = responder.clock.now();
  return responder.store.change(record, (current) => turningBack(current, STOLEN, now));
}

function isForeign(mark: TokenMark, { rotatingFrom, madeTokens }: IncidentRecord): boolean {
  const isMade = madeTokens.some((made) => compareMarks(made, mark) === "same");
  return !isMade && rotatingFrom !== null && compareMarks(rotatingFrom, mark) === "changed";
}

type Made = { kind: "made"; token: string } | { kind: "failed"; why: string };

/** A secondary token that is there already may be the attacker's: promoting it would hand the account over. */
async function makeSecondary(journey: Journey, token: string): Promise<Made> {
  const own = clientWith(journey, token);
  const deleted = await retrying(() => deleteSecondaryAuthToken(own, REQUEST_TIMEOUT_MS), journey.until);
  if (deleted.kind === "failed" && deleted.failure.kind !== "not-found") {
    return { kind: "failed", why: describeFailure(deleted.failure) };
  }
  // Not repeated: one whose answer was lost is there, and nobody has seen it. The next try deletes it.
  const made = await createSecondaryAuthToken(own, REQUEST_TIMEOUT_MS);
  return made.kind === "ok"
    ? { kind: "made", token: made.body }
    : { kind: "failed", why: describeFailure(made.failure) };
}

/** Kept before it is promoted, beside all those before it: one with such a mark is known not to be a stranger's. */
async function marking({ responder, accountSid }: Journey, record: IncidentRecord, token: string) {
  const mark = await responder.markOf(accountSid, token);
  return responder.store.change(record, (current) => rotating(current, mark));
}

/** @returns why it does not count; undefined when it is done. */
async function promote(journey: Journey, token: string, made: string): Promise<string | undefined> {
  const promoted = await promoteAuthToken(clientWith(journey, token), REQUEST_TIMEOUT_MS);
  if (promoted.kind === "failed") return describeFailure(promoted.failure);
  if (promoted.body !== made) return "another token than the one that was made for it was promoted";
  const after = await currentToken(journey);
  if (after.kind === "unknown") return after.why;
  return after.token === made ? undefined : "it reads as another one after the change";
}
