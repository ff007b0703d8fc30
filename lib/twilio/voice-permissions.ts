import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { noAnswer } from "./failures.ts";
import { pages } from "./paging.ts";

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

const Settings = z.object({ dialing_permissions_inheritance: z.nullish(z.boolean()) });

/**
 * All countries, some 230: one request.
 * @param own with the account's own credentials: the parent's would read the parent's.
 */
export async function listVoiceCountries(own: TwilioClient, timeoutMs: number): Promise<Answer<VoiceCountry[]>> {
  return pages(own, {
    product: "voice",
    path: "/v1/DialingPermissions/Countries?PageSize=1000",
    answer: CountryPage,
    items: (page) => page.content.map(countryOf),
    timeoutMs,
  });
}

/**
 * Switches off every kind of number of these countries, as many as Twilio takes in one request. Repeatable. The answer
 * counts them; only the list proves it.
 */
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

/**
 * From now on the account goes by its own permissions; while it inherits, by its parent's, whatever its own are.
 * Twilio answers that with 202, "Accepted": where the answer does not show it done, a reading must.
 */
export async function stopInheritingVoicePermissions(own: TwilioClient, timeoutMs: number): Promise<Answer<unknown>> {
  const settings = { product: "voice", path: "/v1/Settings", timeoutMs } as const;
  const form = { DialingPermissionsInheritance: "false" };
  const asked = await own.send({ ...settings, form, answer: Settings });
  if (asked.kind === "failed" || isOnItsOwn(asked.body)) return asked;
  const read = await own.send({ ...settings, answer: Settings });
  if (read.kind === "failed" || isOnItsOwn(read.body)) return read;
  return { kind: "failed", failure: noAnswer("the account still inherits its parent's voice permissions") };
}

function isOnItsOwn({ dialing_permissions_inheritance: inherits }: z.infer<typeof Settings>): boolean {
  return inherits === false;
}

function countryOf(country: z.infer<typeof CountryPage>["content"][number]): VoiceCountry {
  const { iso_code, low_risk_numbers_enabled, high_risk_special_numbers_enabled, high_risk_tollfraud_numbers_enabled } =
    country;
  const flags = [low_risk_numbers_enabled, high_risk_special_numbers_enabled, high_risk_tollfraud_numbers_enabled];
  return { isoCode: iso_code, isEnabled: flags.includes(true) };
}
