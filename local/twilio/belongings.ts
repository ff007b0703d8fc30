import { fourDigits, pick, type Random, randomFrom } from "./random.ts";
import type { Account, ApiKey, NumberRouting, PhoneNumber } from "./state.ts";

/** What a customer has had for some time: one or two API keys, and two phone numbers that its server answers. */
export interface Belongings {
  keys: ApiKey[];
  phoneNumbers: PhoneNumber[];
}

/**
 * The same account always has the same. The numbers come from a stream of their own: drawn from the world's, they would
 * change everything that is drawn after them.
 * @param opened when the account began; everything was made between then and now
 */
export function belongingsOf(
  { sid, friendlyName }: Pick<Account, "sid" | "friendlyName">,
  opened: Date,
  now: Date,
): Belongings {
  const random = randomFrom(`what ${sid} has`);
  const at = (share: number) => new Date(opened.getTime() + share * (now.getTime() - opened.getTime()));
  const keys = [newKey(random, "Production", at(0.05)), newKey(random, pick(random, KEY_NAMES), at(0.5))];
  const host = `${friendlyName.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.example`;
  const phoneNumbers = [newNumber(random, host, at(0.1)), newNumber(random, host, at(0.3))];
  return { keys: keys.slice(0, 1 + random.integer(2)), phoneNumbers };
}

const KEY_NAMES = ["Staging", "CRM integration", "Reporting", "Zapier"] as const;

function newKey(random: Random, friendlyName: string, dateCreated: Date): ApiKey {
  const sid = `SK${random.hex()}`;
  return { sid, friendlyName, type: "standard", secret: random.hex(), dateCreated, dateUpdated: dateCreated };
}

const AREA_CODES = ["212", "312", "415", "512", "617", "702"] as const;

// 555-01XX is kept for fiction.
function newNumber(random: Random, host: string, dateCreated: Date): PhoneNumber {
  const [area, line] = [pick(random, AREA_CODES), `01${fourDigits(random).slice(2)}`];
  return {
    sid: `PN${random.hex()}`,
    phoneNumber: `+1${area}555${line}`,
    friendlyName: `(${area}) 555-${line}`,
    routing: routedTo(`https://${host}/twilio`),
    dateCreated,
    dateUpdated: dateCreated,
  };
}

const routedTo = (server: string): NumberRouting => ({
  voice_url: `${server}/voice`,
  voice_method: "POST",
  voice_fallback_url: `${server}/voice-fallback`,
  voice_fallback_method: "POST",
  voice_application_sid: "",
  status_callback: `${server}/call-status`,
  status_callback_method: "POST",
  trunk_sid: "",
  sms_url: `${server}/sms`,
  sms_method: "POST",
  sms_fallback_url: "",
  sms_fallback_method: "POST",
  sms_application_sid: "",
});
