import { cleaned } from "../../incidents/coming-back.ts";
import { isDue, reactivationOf, type Step } from "./journey.ts";
import { narrowVoiceCountries } from "./narrow-voice-countries.ts";
import { clientWith, currentToken } from "./own-client.ts";

/** Calls go only to the countries that were asked for, from now on. */
export const narrowCountries: Step = async (journey, record) => {
  if (!isDue(record, "voice-countries")) return { kind: "on", record };
  const { responder, until } = journey;
  const current = await currentToken(journey);
  if (current.kind === "unknown") return { kind: "failed", record, why: current.why };
  const { countries } = reactivationOf(record);
  const outcome = await narrowVoiceCountries(clientWith(journey, current.token), countries, until);
  if (outcome.kind === "failed") {
    return { kind: "failed", record, why: `its voice permissions could not be narrowed: ${outcome.why}` };
  }
  const what = {
    id: "voice-countries",
    what: "voice-countries-narrowed",
    why: `calls may only go to ${countries.join(", ")}; ${outcome.disabled} other countries were switched off`,
    detail: { countries: countries.join(", "), disabled: outcome.disabled },
  } as const;
  const now = responder.clock.now();
  return { kind: "on", record: await responder.store.change(record, (current) => cleaned(current, what, now)) };
};
