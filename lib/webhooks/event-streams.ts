import pLimit from "p-limit";
import { cut } from "../cut.ts";
import { property, type Reader, type Reading, readEvent } from "./error-event.ts";
import { type ErrorSource, receiveErrors } from "./error-source.ts";
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
    // One event for now; a few hundred at most.
    most: { bytes: 256 * 1024 },
    receive: (request) => receive(source, request),
  };
}

const ERROR_LOGGED = "com.twilio.error-logs.error.logged";
const TEST_EVENT = "com.twilio.eventstreams.test-event";

/** Event Streams gives up after 5 seconds: https://www.twilio.com/docs/events/webhook-quickstart */
const ANSWER_WITHIN_MS = 4000;

function receive(source: ErrorSource, request: ReceivedRequest): Promise<WebhookAnswer> {
  const { tokens, parentSid, publicUrl, clock, counter } = source;
  return receiveErrors(source, {
    answerWithinMs: ANSWER_WITHIN_MS,
    verify: () => verifyEvents(tokens, parentSid, request),
    async count({ events, signer, signedBy }, signal) {
      logTests(source, events);
      const readings = readAll(events, signer, { road: "event-streams", publicUrl, receivedAt: clock.now() });
      await counter.count(await ofOurAccounts(source, readings), { road: "event-streams", signedBy, signal });
    },
  });
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
  const strangers = await strangersAmong(new Set(readings.flatMap(accountIn)), tokens);
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
  { ownership }: ErrorSource["tokens"],
): Promise<ReadonlySet<string>> {
  const atOnce = pLimit(10);
  const owned = [...accountSids].map((sid) => atOnce(async () => ({ sid, ownership: await ownership(sid) })));
  const strangers = (await Promise.all(owned)).filter(({ ownership }) => ownership === "not-ours");
  return new Set(strangers.map(({ sid }) => sid));
}

// To validate a sink, a person has to give Twilio the id that its test brought.
function logTests({ log }: ErrorSource, events: readonly unknown[] = []): void {
  for (const event of events.filter((one) => property(one, "type") === TEST_EVENT)) {
    const testId = property(property(event, "data"), "test_id");
    log.info("event-streams-test", { testId: typeof testId === "string" ? cut(testId, 64) : null });
  }
}
