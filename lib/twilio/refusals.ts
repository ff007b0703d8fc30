import { describeFailure, type TwilioFailure } from "./failures.ts";

/** What a person can do about a status update that Twilio refused: https://www.twilio.com/docs/api/errors */
const WORDS: ReadonlyMap<number, string> = new Map([
  [20003, "our credentials are refused: check the parent's auth token, and that the parent account is active"],
  [20005, "the parent account is not active: call Twilio Support"],
  [20008, "these are test credentials: configure the parent's live auth token"],
  [20403, "the parent account is suspended or closed: call Twilio Support"],
  [20404, "Twilio knows no such account under our parent: check TWILIO_ACCOUNT_SID"],
  [20429, "too many requests at once: ask again in a minute"],
  [10001, "the parent account is not active: call Twilio Support"],
  [21475, "Twilio does not know the status that we asked for: this is a defect, report it"],
  [21476, "the parent account itself is suspended: only Twilio Support can lift that"],
  [21477, "a parent account's status cannot be changed"],
  [
    21478,
    "Twilio itself suspended this account: only its support can lift it; send them the report (tollbreaker incidents report ID)",
  ],
  [21479, "the account is closed, which is final: dismiss its incident"],
  [70051, "our credentials are not allowed to do this: use the parent's auth token, not an API key"],
  [90010, "the parent account is not active: call Twilio Support"],
]);

/** What happened, and what to do about it, in one line. */
export function wordsFor(failure: TwilioFailure): string {
  const words = failure.code === null ? undefined : WORDS.get(failure.code);
  return words === undefined ? describeFailure(failure) : `${words} (${describeFailure(failure)})`;
}
