import { retrying, type Until } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import { describeFailure, type TwilioFailure } from "../../twilio/failures.ts";
import {
  disableVoiceCountries,
  listVoiceCountries,
  stopInheritingVoicePermissions,
} from "../../twilio/voice-permissions.ts";
import { REQUEST_TIMEOUT_MS } from "./journey.ts";

export type Narrowing = { kind: "narrow"; disabled: number } | { kind: "failed"; why: string };

/** So many countries in one request: Twilio documents no limit, and a batch this small is far below any. */
const CHUNK = 20;

/** Only `countries` may be called from now on; which of their numbers stays as it is. Proven by reading the list again. */
export async function narrowVoiceCountries(
  own: TwilioClient,
  countries: readonly string[],
  until: Until,
): Promise<Narrowing> {
  const listed = () => retrying(() => listVoiceCountries(own, REQUEST_TIMEOUT_MS), until);
  const inheriting = await retrying(() => stopInheritingVoicePermissions(own, REQUEST_TIMEOUT_MS), until);
  if (inheriting.kind === "failed") return failed(inheriting.failure);
  const before = await listed();
  if (before.kind === "failed") return failed(before.failure);
  const wrong = before.body.filter(({ isoCode, isEnabled }) => isEnabled && !countries.includes(isoCode));
  for (let from = 0; from < wrong.length; from += CHUNK) {
    const codes = wrong.slice(from, from + CHUNK).map(({ isoCode }) => isoCode);
    const answer = await retrying(() => disableVoiceCountries(own, codes, REQUEST_TIMEOUT_MS), until);
    if (answer.kind === "failed") return failed(answer.failure);
  }
  const after = await listed();
  if (after.kind === "failed") return failed(after.failure);
  const left = after.body.filter(({ isoCode, isEnabled }) => isEnabled && !countries.includes(isoCode));
  if (left.length === 0) return { kind: "narrow", disabled: wrong.length };
  return { kind: "failed", why: `still enabled: ${left.map(({ isoCode }) => isoCode).join(", ")}` };
}

function failed(failure: TwilioFailure): Narrowing {
  return { kind: "failed", why: describeFailure(failure) };
}
