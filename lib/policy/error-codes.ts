/**
 * Twilio's error codes that say something about fraud, and those that say nothing here. Names and meanings are from
 * https://www.twilio.com/docs/api/errors
 *
 * A stranger is anyone without a credential of the account: somebody with a phone, with a browser at a customer's
 * sign-up form, or with a SIP scanner. What a stranger can cause must not suspend by itself, or anyone could get any
 * account suspended.
 */
export interface ErrorCode {
  code: number;
  /** Twilio's name. */
  name: string;
  meaning: string;
  strangerCanCause: boolean;
  /** Never counted; a rule that names it is refused. */
  ignored: boolean;
  /** How a stranger causes it, or why none can; for an ignored code, why it is ignored. */
  why: string;
}

type Row = readonly [
  code: number,
  kind: "stranger" | "insider" | "ignored",
  name: string,
  meaning: string,
  why: string,
];

const FORM = "anyone can type any number into a form that sends codes or calls back";
const CALLER = "anyone can call a number that dials on";
const SENDER = "anyone can write to a number that answers by itself";
const SCANNER = "anyone can send SIP traffic to the account's domain";
const REVIEW = "follows from what the account's own people sent in";
const WEBHOOK = "about a webhook, often our own: acting on it would make a loop";
const SINK = "about an Event Streams sink, often our own: acting on it would make a loop";
const SUSPENSION = "follows from a suspension: it must not trip the account again";

const rows: readonly Row[] = [
  [10001, "ignored", "Account is not active", "a request for a suspended or closed account", SUSPENSION],
  [10003, "ignored", "Incoming call rejected due to inactive account", "a call to a suspended account", SUSPENSION],
  [11200, "ignored", "HTTP retrieval failure", "a webhook did not answer as it should", WEBHOOK],
  [11205, "ignored", "HTTP connection failure", "a webhook could not be reached", WEBHOOK],
  [11210, "ignored", "HTTP bad host name", "a webhook's host does not exist", WEBHOOK],
  [11215, "ignored", "HTTP too many redirects", "a webhook redirects without end", WEBHOOK],
  [12300, "ignored", "Invalid Content-Type", "a webhook answered with another type than TwiML", WEBHOOK],
  [
    13227,
    "stranger",
    "Geo Permission configuration is not permitting call",
    "a `<Dial>` to a country that is switched off",
    CALLER,
  ],
  [14107, "stranger", "SMS send rate limit exceeded", "more automatic replies than a number may send", SENDER],
  [
    20003,
    "stranger",
    "Permission Denied",
    "a request with a wrong or revoked token",
    "anyone who has seen the Account SID can try tokens",
  ],
  [20005, "ignored", "Account not active", "a request for a suspended account", SUSPENSION],
  [20429, "stranger", "Too Many Requests", "the account's own software calls the API too often", FORM],
  [
    21215,
    "stranger",
    "Account not authorized to call phone number",
    "an API call to a country that is switched off",
    FORM,
  ],
  [
    21408,
    "stranger",
    "Permission to send an SMS or MMS has not been enabled for the region",
    "an SMS to a country that is switched off",
    FORM,
  ],
  [30002, "ignored", "Account suspended", "a queued message of a suspended account", SUSPENSION],
  [30003, "stranger", "Unreachable destination handset", "a phone that is off or out of reach", FORM],
  [30004, "stranger", "Message blocked", "the receiver or the carrier takes no messages", FORM],
  [30005, "stranger", "Unknown destination handset", "a number that does not exist", FORM],
  [30006, "stranger", "Landline or unreachable carrier", "a number that cannot get an SMS", FORM],
  [30007, "stranger", "Message filtered", "a spam filter stopped it; many of them may be phishing", FORM],
  [30008, "stranger", "Unknown error", "the carrier gave no reason", FORM],
  [30010, "stranger", "Message price exceeds max price", "the number costs more than the sender allows", FORM],
  [30442, "insider", "Toll-free verification rejected: Spam", "Twilio takes the sender for a spammer", REVIEW],
  [30444, "insider", "Toll-free verification rejected: Fraud", "Twilio takes the sender for a fraudster", REVIEW],
  [
    30450,
    "stranger",
    "Message delivery blocked",
    "SMS Pumping Protection blocks the number's prefix for 15 to 30 minutes",
    FORM,
  ],
  [30453, "stranger", "Message couldn't be delivered", "SMS Pumping Protection; clears within hours", FORM],
  [
    30649,
    "insider",
    "Failed to update Geo Permissions",
    "somebody tried to open a high-risk country",
    "needs the account's credentials",
  ],
  [
    32201,
    "stranger",
    "SIP: Source IP address not in ACL",
    "an INVITE from an address that is not listed: probing",
    SCANNER,
  ],
  [32202, "stranger", "SIP: Bad user credentials", "an INVITE with a wrong password: guessing", SCANNER],
  [
    32203,
    "stranger",
    "SIP: Call blocked by Twilio",
    "a blocked number, for fraud or by law",
    "a caller whose own number is blocked may cause it",
  ],
  [
    32205,
    "stranger",
    "SIP Trunking: Geo Permission configuration is not permitting call",
    "a trunk call to a country that is switched off",
    "an INVITE over UDP with a forged sender passes an IP list",
  ],
  [60238, "stranger", "Verification creation attempt blocked by Twilio", "Verify refuses to begin", FORM],
  [
    60410,
    "stranger",
    "Verification delivery attempt blocked",
    "Verify Fraud Guard blocks the number's prefix for 12 hours",
    FORM,
  ],
  [60605, "stranger", "Verification delivery attempt blocked", "Verify's own geo permissions", FORM],
  [63018, "stranger", "Rate limit exceeded for Channel", "more channel messages than the sender may send", SENDER],
  [91300, "ignored", "Event delivery to sink failed", "an event could not be delivered", SINK],
  [91302, "ignored", "Delivery throttled", "a sink answers too slowly, or with 429 or 5xx", SINK],
  [91303, "ignored", "Event dropped due to an internal error", "Twilio could not make the event", SINK],
  [91304, "ignored", "Internal error, delivery retried", "Twilio will deliver the event later", SINK],
  [91305, "ignored", "Sink endpoint rejected the event", "a sink answered with 4xx", SINK],
  [91306, "ignored", "Sink endpoint returned a server error", "a sink answered with 5xx", SINK],
  [91307, "ignored", "Could not connect to sink endpoint", "a sink could not be reached", SINK],
  [91308, "ignored", "Sink endpoint did not respond in time", "a sink answers too late", SINK],
];

/** Every code that is known here, in ascending order. */
export const ERROR_CODES: ReadonlyMap<number, ErrorCode> = new Map(
  rows.map(([code, kind, name, meaning, why]) => [
    code,
    { code, name, meaning, strangerCanCause: kind === "stranger", ignored: kind === "ignored", why },
  ]),
);

/** A code that nobody has thought through counts as one that a stranger can cause. */
export function canStrangerCause(code: number): boolean {
  return ERROR_CODES.get(code)?.strangerCanCause ?? true;
}

/** Whether events with this code are never counted: failures of webhooks and sinks, and what follows a suspension. */
export function isIgnored(code: number): boolean {
  return ERROR_CODES.get(code)?.ignored ?? FAMILIES.has(familyOf(code));
}

/** Of an ignored code: Twilio's name for it, where it is known here, and the reason. */
export function whyIgnored(code: number): string {
  const known = ERROR_CODES.get(code);
  return known === undefined ? (FAMILIES.get(familyOf(code)) ?? "") : `${known.name}: ${known.why}`;
}

/** Twilio keeps 11200 to 11299 for requests to webhooks, 91300 to 91399 for deliveries of Event Streams. */
const FAMILIES: ReadonlyMap<number, string> = new Map([
  [112, WEBHOOK],
  [913, SINK],
]);

function familyOf(code: number): number {
  return Math.floor(code / 100);
}
