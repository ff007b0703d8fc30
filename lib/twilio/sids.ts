/**
 * Twilio's string identifiers: a two-letter prefix and 32 hexadecimal digits.
 * Patterns from Twilio's OpenAPI file twilio_api_v2010.json.
 */
export const ACCOUNT_SID = /^AC[0-9a-fA-F]{32}$/;
export const CALL_SID = /^CA[0-9a-fA-F]{32}$/;
export const API_KEY_SID = /^SK[0-9a-fA-F]{32}$/;
export const PHONE_NUMBER_SID = /^PN[0-9a-fA-F]{32}$/;
export const USAGE_TRIGGER_SID = /^UT[0-9a-fA-F]{32}$/;

export function isAccountSid(text: string): boolean {
  return ACCOUNT_SID.test(text);
}
