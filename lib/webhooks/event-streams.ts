import pLimit from "p-limit";
import { cut } from "../cut.ts";
import { property, type Reader, type Reading, readEvent } from "./error-event.ts";
import { type ErrorSource, inTime, refuse } from "./error-source.ts";
import type { ReceivedRequest, Webhook, WebhookAnswer } from "./receive-webhook.ts";
import { accountOf, verifyEvents } from "./verified-events.ts";

/**
 * `POST /webhooks/event-streams`: the sink of an Event Streams subscription to `com.twilio.error-logs.error.logged`.
 * Delivered at least once, in no order, and again for hours after a 429 or 5xx.
 * https://www.twilio.com/docs/events/event-types/errors/error-logs
 */
export function eventStreamsWebhook(source: ErrorSource): Webhook {
  return {
    path: "/webhooks/event-streams",
    accepts: ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"],
    receive: (request) => inTime(source, (signal) => receive(source, request, signal)),
  };
}

const ERROR_LOGGED = "com.twilio.error-logs.error.logged";
const TEST_EVENT = "com.twilio.eventstreams.test-event";

async function receive(source: ErrorSource, request: ReceivedRequest, signal: AbortSignal): Promise<WebhookAnswer> {
  const { tokens, parentSid, publicUrl, clock, counter } = source;
  const verification = await verifyEvents(tokens, parentSid, request);
  switch (verification.kind) {
    case "refused":
      return refuse(source, verification.why);
    case "undecided":
      return 503;
    case "verified": {
      const { events, signer, signedBy } = verification;
      logTests(source, events);
      const readings = readAll(events, signer, { road: "event-streams", publicUrl, receivedAt: clock.now() });
      await counter.count(await ofOurAccounts(source, readings), { road: "event-streams", signedBy, signal });
      return 204;
    }
  }
}

function readAll(events: readonly unknown[] | undefined, signer: string, reader: Reader): Reading[] {
  const problem = "a delivery of Event Streams is not JSON";
  if (events === undefined) return [{ kind: "unreadable", accountSid: signer, problem }];
  return events
    .filter((event) => property(event, "type") === ERROR_LOGGED)
    .map((event) => readOne(event, signer, reader));
}

// Where an event names no account, whoever signed it has to hear that it could not be read.
function readOne(event: unknown, signer: string, reader: Reader): Reading {
  const data = property(event, "data");
  const accountSid = accountOf(event);
  if (accountSid === undefined) {
    return { kind: "unreadable", accountSid: signer, problem: "an event by event-streams names no account" };
  }
  return readEvent(
    {
      accountSid,
      sid: property(data, "sid") ?? property(event, "id"),
      level: property(data, "level"),
      code: property(data, "error_code"),
      payload: property(data, "payload"),
    },
    reader,
  );
}

/** Our parent may speak of accounts that are no longer, or never were, ours: those are left out. */
async function ofOurAccounts({ tokens, log }: ErrorSource, readings: readonly Reading[]): Promise<Reading[]> {
  const strangers = await strangersAmong(new Set(readings.flatMap(accountIn)), tokens.find);
  const ours = readings.filter((reading) => accountIn(reading).every((sid) => !strangers.has(sid)));
  if (ours.length < readings.length) log.count("ErrorEventsNotOurs", readings.length - ours.length);
  return ours;
}

function accountIn(reading: Reading): string[] {
  switch (reading.kind) {
    case "event":
      return [reading.event.accountSid];
    case "unreadable":
      return [reading.accountSid];
    case "ignored":
      return [];
  }
}

async function strangersAmong(
  accountSids: ReadonlySet<string>,
  find: ErrorSource["tokens"]["find"],
): Promise<ReadonlySet<string>> {
  const atOnce = pLimit(10);
  const searches = [...accountSids].map((sid) => atOnce(async () => ({ sid, found: await find(sid) })));
  const found = await Promise.all(searches);
  return new Set(found.filter(({ found: { kind } }) => kind === "not-ours").map(({ sid }) => sid));
}

// To validate a sink, a person has to give Twilio the id that its test brought.
function logTests({ log }: ErrorSource, events: readonly unknown[] = []): void {
  for (const event of events.filter((one) => property(one, "type") === TEST_EVENT)) {
    const testId = property(property(event, "data"), "test_id");
    log.info("event-streams-test", { testId: typeof testId === "string" ? cut(testId, 64) : null });
  }
}
