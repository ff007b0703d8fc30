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

/**
 * Only `countries` may be called from now on; which of their numbers stays as it is. Narrowed before it stops inheriting
 * the parent's permissions, so that its own, which may be wider, never apply as they are; and after it, because until then
 * an update may have had no effect. Proven by reading the list again.
 */
export async function narrowVoiceCountries(
  own: TwilioClient,
  countries: readonly string[],
  until: Until,
): Promise<Narrowing> {
  const early = await disableOthers(own, countries, until);
  if (early.kind === "failed") return early;
  const inheriting = await retrying(() => stopInheritingVoicePermissions(own, REQUEST_TIMEOUT_MS), until);
  if (inheriting.kind === "failed") return failed(inheriting.failure);
  const late = await disableOthers(own, countries, until);
  if (late.kind === "failed") return late;
  const left = await enabledOthers(own, countries, until);
  if (left.kind === "failed") return left;
  if (left.codes.length > 0) return { kind: "failed", why: `still enabled: ${left.codes.join(", ")}` };
  return { kind: "narrow", disabled: new Set([...early.codes, ...late.codes]).size };
}

type Codes = { kind: "codes"; codes: readonly string[] } | Extract<Narrowing, { kind: "failed" }>;

/** @returns those that it switched off. */
async function disableOthers(own: TwilioClient, countries: readonly string[], until: Until): Promise<Codes> {
  const others = await enabledOthers(own, countries, until);
  if (others.kind === "failed") return others;
  for (let from = 0; from < others.codes.length; from += CHUNK) {
    const codes = others.codes.slice(from, from + CHUNK);
    const answer = await retrying(() => disableVoiceCountries(own, codes, REQUEST_TIMEOUT_MS), until);
    if (answer.kind === "failed") return failed(answer.failure);
  }
  return others;
}

async function enabledOthers(own: TwilioClient, countries: readonly string[], until: Until): Promise<Codes> {
  const listed = await retrying(() => listVoiceCountries(own, REQUEST_TIMEOUT_MS), until);
  if (listed.kind === "failed") return failed(listed.failure);
  // There always are some: an empty list proves nothing.
  if (listed.body.length === 0) return { kind: "failed", why: "Twilio lists no country at all" };
  const others = listed.body.filter(({ isoCode, isEnabled }) => isEnabled && !countries.includes(isoCode));
  return { kind: "codes", codes: others.map(({ isoCode }) => isoCode) };
}

function failed(failure: TwilioFailure): Extract<Narrowing, { kind: "failed" }> {
  return { kind: "failed", why: describeFailure(failure) };
}
