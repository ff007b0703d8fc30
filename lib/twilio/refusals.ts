import { describeFailure, isRefusal, type TwilioFailure } from "./failures.ts";

const PARENT_NOT_ACTIVE = "the parent account is not active: call Twilio Support";
const TWILIO_IS_BUSY = "Twilio is out of order or overloaded: ask again in a minute, and see https://status.twilio.com";

const NOT_TWILIOS = "what answered was not Twilio's API: look for a proxy on the way, and ask again in a minute";

/** What a person can do about a status update that Twilio refused: https://www.twilio.com/docs/api/errors */
const WORDS: ReadonlyMap<number, string> = new Map([
  [10001, PARENT_NOT_ACTIVE],
  [20003, "our credentials are refused: check the parent's auth token, and that the parent account is active"],
  [20005, PARENT_NOT_ACTIVE],
  [20008, "these are test credentials: configure the parent's live auth token"],
  [20403, "the account or its parent is suspended or closed: look at both in the Twilio Console"],
  [20404, "Twilio knows no such account under our parent: check TWILIO_ACCOUNT_SID"],
  [20429, "too many requests at once: ask again in a minute"],
  [20500, TWILIO_IS_BUSY],
  [20503, TWILIO_IS_BUSY],
  [21475, "Twilio does not know the status that we asked for: this is a defect, report it"],
  [21476, "the parent account itself is suspended: only Twilio Support can lift that"],
  [21477, "a parent account's status cannot be changed: only Twilio Support can do that"],
  [
    21478,
    "Twilio itself suspended this account: only its support can lift it; send them the report (tollbreaker incidents report ID)",
  ],
  [21479, "the account is closed, which is final: dismiss its incident"],
  [70051, "our credentials are not allowed to do this: use the parent's auth token, not an API key"],
  [90010, PARENT_NOT_ACTIVE],
]);

/** What to do about it, and what happened, in one line. */
export function wordsFor(failure: TwilioFailure): string {
  return `${adviceFor(failure)} (${describeFailure(failure)})`;
}

/** The same, for what was described before. */
export function withAdvice(message: string, code: number | null): string {
  const words = code === null ? undefined : WORDS.get(code);
  return words === undefined ? message : `${words} (${message})`;
}

/** The advice alone, for what is known without asking anew. */
export function wordsForCode(code: 21478 | 21479): string {
  return WORDS.get(code) ?? `Twilio error ${code}`;
}

function adviceFor(failure: TwilioFailure): string {
  const { code, status } = failure;
  const words = code === null ? undefined : WORDS.get(code);
  if (words !== undefined) return words;
  if (isRefusal(failure)) return `Twilio refused it: see https://www.twilio.com/docs/api/errors/${code}`;
  if (code === null && status !== null && status < 500 && status !== 429) return NOT_TWILIOS;
  return "Twilio did not do it, or did not say so: ask again in a minute";
}
