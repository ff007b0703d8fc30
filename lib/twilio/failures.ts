/**
 * What an error of Twilio's means for us. Classified by Twilio's own `code`, because the HTTP status of a refused
 * status update is not documented; by status only where no code came.
 * Codes: https://www.twilio.com/docs/api/errors
 */
export interface TwilioFailure {
  kind: FailureKind;
  /** Twilio's error code; null when the answer carried none, or no answer came. */
  code: number | null;
  /** The HTTP status; null when no answer came (time-out, cut connection). */
  status: number | null;
  message: string;
}

type FailureKind =
  /** Trying again may help, and is safe: setting a status twice is the same as once. */
  | "retryable"
  /** Trying again will not help: a person is needed. */
  | "terminal"
  /** Twilio says that the account is already suspended or closed. */
  | "already-contained"
  /** No such resource under these credentials. */
  | "not-found";

const KIND_BY_CODE: ReadonlyMap<number, FailureKind> = new Map([
  [20003, "terminal"], // permission denied: wrong or revoked credentials, or our own account is suspended
  [20005, "terminal"], // account not active: the parent is probably suspended
  [20008, "terminal"], // test credentials
  [20403, "terminal"], // account suspended or closed
  [20404, "not-found"],
  [20429, "retryable"], // too many requests: "never processed and is always safe to retry"
  [20500, "retryable"],
  [20503, "retryable"],
  [10001, "terminal"], // account not active
  [21475, "terminal"], // invalid Status: a defect of ours
  [21476, "terminal"], // the parent account is suspended
  [21477, "terminal"], // a parent account's status cannot be updated
  [21478, "already-contained"], // suspended by Twilio itself
  [21479, "already-contained"], // closed
  [70051, "terminal"], // authorization failed
  [90010, "terminal"], // account not active
]);

/** Classifies an answer that is not 2xx. `body` is the parsed JSON, or undefined where there was none. */
export function failureOf(status: number, body: unknown): TwilioFailure {
  const code = numberAt(body, "code");
  const message = stringAt(body, "message") ?? `HTTP ${status}`;
  return { kind: (code === null ? undefined : KIND_BY_CODE.get(code)) ?? kindByStatus(status), code, status, message };
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

function kindByStatus(status: number): FailureKind {
  if (status === 429 || status >= 500 || status === 408) return "retryable";
  return status === 404 ? "not-found" : "terminal";
}

function numberAt(body: unknown, key: string): number | null {
  const value = valueAt(body, key);
  return typeof value === "number" ? value : null;
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
