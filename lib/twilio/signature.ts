import {
  getExpectedBodyHash,
  getExpectedTwilioSignature,
  validateRequest,
  validateRequestWithBody,
} from "twilio/lib/webhooks/webhooks.js";

/** A form as received: each name with all its values, in the order they came. */
export type Form = ReadonlyMap<string, readonly string[]>;

export interface SignedForm {
  /** The full URL that Twilio was told: our public base URL, the path, and the query as received. */
  url: string;
  form: Form;
}

/**
 * Whether `signature` (the X-Twilio-Signature header) was made with `authToken`. Compares in constant time; an empty
 * or missing header is a mismatch. Twilio's own library decides, because Twilio signs some URLs with and some without
 * their port, and re-encodes some query strings: https://www.twilio.com/docs/usage/security#validating-requests
 */
export function isSignedWith(authToken: string, signature: string | undefined, { url, form }: SignedForm): boolean {
  if (signature === undefined || signature === "" || authToken === "") return false;
  const parameters = asParameters(form);
  return addressesOf(url).some((address) => validateRequest(authToken, signature, address, parameters));
}

// A Request writes the apostrophes of a query as %27; Twilio signs the query as it was told it.
function addressesOf(url: string): string[] {
  return url.includes("%27") ? [url, url.replaceAll("%27", "'")] : [url];
}

/** The X-Twilio-Signature of a form POST, as Twilio would make it: for the simulator, the tests and the drill. */
export function signForm(authToken: string, { url, form }: SignedForm): string {
  return getExpectedTwilioSignature(authToken, url, asParameters(form));
}

export interface SignedText {
  /** As for a form; its query must hold `bodySHA256`. */
  url: string;
  /** The body, decoded without losing a byte. */
  text: string;
}

/**
 * Whether `signature` was made with `authToken` for a body that is no form: the URL is signed, and its `bodySHA256` is
 * the hash of the body. Without that parameter nothing speaks for the body, so it is a mismatch.
 * https://www.twilio.com/docs/usage/security#validating-requests
 */
export function isTextSignedWith(authToken: string, signature: string | undefined, { url, text }: SignedText): boolean {
  if (signature === undefined || signature === "" || authToken === "") return false;
  return validateRequestWithBody(authToken, signature, url, text);
}

/** The URL and the X-Twilio-Signature with which Twilio would send `text` to `url`. */
export function signText(authToken: string, { url, text }: SignedText): { url: string; signature: string } {
  const signedUrl = `${url}${url.includes("?") ? "&" : "?"}bodySHA256=${getExpectedBodyHash(text)}`;
  return { url: signedUrl, signature: getExpectedTwilioSignature(authToken, signedUrl, {}) };
}

/** Reads `application/x-www-form-urlencoded` text. Repeated names keep all their values; nothing is trimmed. */
export function parseForm(text: string): Form {
  const form = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const values = form.get(name);
    if (values === undefined) form.set(name, [value]);
    else values.push(value);
  }
  return form;
}

// Without a prototype, so that a parameter named `__proto__` is a parameter like any other.
function asParameters(form: Form): Record<string, string | readonly string[]> {
  const parameters: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, values] of form) {
    const [first] = values;
    parameters[name] = values.length === 1 && first !== undefined ? first : values;
  }
  return parameters;
}
