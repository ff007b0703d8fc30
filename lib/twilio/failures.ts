/**
 * What an error of Twilio's means for us. Only Twilio's own JSON counts as its word, and of that the `code`, because the
 * HTTP status of a refused status update is not documented. https://www.twilio.com/docs/api/errors
 */
export interface TwilioFailure {
  kind: FailureKind;
  /** Twilio's error code; null where the answer was not Twilio's own JSON, or no answer came. */
  code: number | null;
  /** The HTTP status; null when no answer came (time-out, cut connection). */
  status: number | null;
  message: string;
}

/** Whether trying again may help. What was refused is another question: `isRefusal`. */
type FailureKind =
  /** It may, and is safe: setting a status twice is the same as once. */
  | "retryable"
  /** It will not, ever: a person is needed. */
  | "terminal"
  /** Twilio says that the account is already suspended or closed. */
  | "already-contained"
  /** Twilio shows no such resource under these credentials. What was there a moment ago may be there again: lists lag. */
  | "not-found";

/**
 * Nothing else ends a try for good. A stop must not fail because of an answer that can pass, so these are not among them:
 * 20003 (permission denied; the parent's token was rotated a moment ago), 70051 (authorization failed: the same), 20008
 * (test credentials, until the right ones are stored), 10001, 20005, 20403, 90010 and 21476 (the parent itself is
 * suspended: Twilio Support lifts that within the hour), and every code that we do not know.
 */
const KIND_BY_CODE: ReadonlyMap<number, FailureKind> = new Map([
  // No such status: what we send does not change, so neither does the answer.
  [21475, "terminal"],
  // A parent account's status can't be updated: an account does not become a subaccount later.
  [21477, "terminal"],
  // Suspended by Twilio itself, which no request of ours lifts or repeats.
  [21478, "already-contained"],
  // Closed, which "can't be reopened".
  [21479, "already-contained"],
  [20404, "not-found"],
]);

/** Classifies an answer that is not 2xx. `body` is the parsed JSON, or undefined where there was none. */
export function failureOf(status: number, body: unknown): TwilioFailure {
  const code = codeIn(status, body);
  const kind = (code === null ? undefined : KIND_BY_CODE.get(code)) ?? "retryable";
  return { kind, code, status, message: stringAt(body, "message") ?? `HTTP ${status}` };
}

/**
 * Whether Twilio itself said no, with a reason. It may say yes later, so whoever stops an account goes on; who can wait
 * for a person tells that person instead.
 */
export function isRefusal({ kind, code, status }: TwilioFailure): boolean {
  if (kind !== "retryable") return true;
  return code !== null && status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** The failure of a request that got no answer: it may or may not have been carried out. */
export function noAnswer(message: string): TwilioFailure {
  return { kind: "retryable", code: null, status: null, message };
}

/** One line for people: `Twilio error 21476 (HTTP 400): Parent account is suspended`. */
export function describeFailure({ code, status, message }: TwilioFailure): string {
  const name = code === null ? "Twilio" : `Twilio error ${code}`;
  return status === null ? `${name}: ${message}` : `${name} (HTTP ${status}): ${message}`;
}

/** What was recorded of a failure, with its code where the words do not name it already. */
export function withCode(message: string, code: number | null): string {
  return code === null || message.includes(`Twilio error ${code}`) ? message : `${message} (Twilio error ${code})`;
}

/** Twilio's errors are `{code, message, more_info, status}`: what names another status comes from somebody on the way. */
function codeIn(status: number, body: unknown): number | null {
  const code = valueAt(body, "code");
  const named = valueAt(body, "status");
  const isTwilios = Number.isInteger(code) && (named === undefined || named === status);
  return isTwilios && typeof code === "number" ? code : null;
}

function stringAt(body: unknown, key: string): string | undefined {
  const value = valueAt(body, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function valueAt(body: unknown, key: string): unknown {
  return typeof body === "object" && body !== null
    ? Object.entries(body).find(([name]) => name === key)?.[1]
    : undefined;
}
