import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { noAnswer } from "./failures.ts";

/** Where an account may call: https://www.twilio.com/docs/voice/api/dialingpermissions-country-resource */
export interface VoiceCountry {
  /** ISO 3166-1 alpha-2. */
  isoCode: string;
  /** Whether any kind of its numbers may be called. */
  isEnabled: boolean;
}

const CountryPage = z.object({
  content: z.array(
    z.object({
      iso_code: z.string(),
      low_risk_numbers_enabled: z.nullish(z.boolean()),
      high_risk_special_numbers_enabled: z.nullish(z.boolean()),
      high_risk_tollfraud_numbers_enabled: z.nullish(z.boolean()),
    }),
  ),
  meta: z.object({ next_page_url: z.nullish(z.string()) }),
});
type CountryPage = z.infer<typeof CountryPage>;

/** There are some 230 countries; guards against a list that never ends. */
const MOST_PAGES = 50;

/** @param own with the account's own credentials: the parent's would read the parent's. */
export async function listVoiceCountries(own: TwilioClient, timeoutMs: number): Promise<Answer<VoiceCountry[]>> {
  const all: VoiceCountry[] = [];
  let path: string | null | undefined = "/v1/DialingPermissions/Countries?PageSize=1000";
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer: Answer<CountryPage> = await own.send({ product: "voice", path, answer: CountryPage, timeoutMs });
    if (answer.kind === "failed") return answer;
    all.push(...answer.body.content.map(countryOf));
    path = answer.body.meta.next_page_url;
    if (path === null || path === undefined || path === "") return { kind: "ok", body: all };
  }
  return { kind: "failed", failure: noAnswer(`more than ${MOST_PAGES} pages of countries`) };
}

/** Switches off every kind of number of these countries. */
export async function disableVoiceCountries(
  own: TwilioClient,
  isoCodes: readonly string[],
  timeoutMs: number,
): Promise<Answer<unknown>> {
  // The values are texts: https://www.twilio.com/docs/voice/api/dialingpermissions-bulkcountryupdate-resource
  const off = {
    low_risk_numbers_enabled: "false",
    high_risk_special_numbers_enabled: "false",
    high_risk_tollfraud_numbers_enabled: "false",
  };
  const form = { UpdateRequest: JSON.stringify(isoCodes.map((iso_code) => ({ iso_code, ...off }))) };
  const answer = z.object({ update_count: z.number() });
  return own.send({ product: "voice", path: "/v1/DialingPermissions/BulkCountryUpdates", form, answer, timeoutMs });
}

/** While it inherits, an account goes by its parent's permissions, whatever its own are. */
export async function stopInheritingVoicePermissions(own: TwilioClient, timeoutMs: number): Promise<Answer<unknown>> {
  const answer = z.object({ dialing_permissions_inheritance: z.literal(false) });
  const form = { DialingPermissionsInheritance: "false" };
  return own.send({ product: "voice", path: "/v1/Settings", form, answer, timeoutMs });
}

function countryOf(country: CountryPage["content"][number]): VoiceCountry {
  const { iso_code, low_risk_numbers_enabled, high_risk_special_numbers_enabled, high_risk_tollfraud_numbers_enabled } =
    country;
  const flags = [low_risk_numbers_enabled, high_risk_special_numbers_enabled, high_risk_tollfraud_numbers_enabled];
  return { isoCode: iso_code, isEnabled: flags.includes(true) };
}
