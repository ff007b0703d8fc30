import { signText } from "../../lib/twilio/signature.ts";
import { nameOfError, productOfError } from "./error-codes.ts";
import type { ErrorEvent } from "./error-events.ts";
import { type DeliveryOutcome, type SignedRequest, USER_AGENT } from "./sending.ts";
import { type Account, parentOf, type Sink, type World } from "./state.ts";

const ERROR_LOGGED = "com.twilio.error-logs.error.logged";
const TEST_EVENT = "com.twilio.eventstreams.test-event";

/** A sink that is to receive an event; the token of the account that it belongs to signs. */
export interface Stream {
  sink: Sink;
  owner: Account;
}

/**
 * The sinks that subscribed to errors, the account's own and its parent's. A subaccount needs its own unless the parent's
 * subscription takes all: https://www.twilio.com/docs/events/event-streams/subscription
 */
export function streamsFor(world: World, account: Account): Stream[] {
  const parent = parentOf(world);
  const fromParent = account === parent ? [] : streamsOf(parent, ({ fromSubaccounts }) => fromSubaccounts);
  return [...streamsOf(account, () => true), ...fromParent];
}

type Subscribed = { readonly fromSubaccounts: boolean };

function streamsOf(owner: Account, wanted: (subscription: Subscribed) => boolean): Stream[] {
  const sids = [...owner.subscriptions.values()]
    .filter((one) => wanted(one) && one.types.some(({ type }) => type === ERROR_LOGGED))
    .map(({ sinkSid }) => sinkSid);
  return [...new Set(sids)].flatMap((sid) => owner.sinks.get(sid) ?? []).map((sink) => ({ sink, owner }));
}

/** https://cloudevents.io, with Twilio's content. */
export interface CloudEvent {
  specversion: "1.0";
  type: string;
  source: string;
  id: string;
  dataschema: string;
  datacontenttype: "application/json";
  time: string;
  data: Readonly<Record<string, unknown>>;
}

/** https://www.twilio.com/docs/events/event-types/errors/error-logs */
export function errorLogged(account: Account, event: ErrorEvent): CloudEvent {
  const data = {
    sid: event.sid,
    account_sid: account.sid,
    master_account_sid: account.ownerAccountSid,
    date_created: event.at.toISOString(),
    level: event.level,
    error_code: String(event.code),
    product_name: productOfError(event.code),
    request_sid: `RQ${event.sid.slice(2)}`,
    service_sid: event.serviceSid,
    correlation_sid: event.resourceSid,
    payload: event.rawPayload ?? JSON.stringify(payloadOf(event)),
  };
  return envelope(ERROR_LOGGED, "ErrorLogs.Error/2", { id: event.sid, at: event.at, account, data });
}

// As in Twilio's example: the code is a number here, and text beside the payload.
function payloadOf({ code, resourceSid, serviceSid, moreInfo, webhook }: ErrorEvent) {
  return {
    error_code: code,
    message: nameOfError(code),
    resource_sid: resourceSid,
    service_sid: serviceSid,
    more_info: moreInfo,
    ...(webhook !== undefined && { webhook }),
  };
}

/** What `POST /v1/Sinks/{Sid}/Test` sends. */
export function testEvent(account: Account, testId: string, at: Date): CloudEvent {
  return envelope(TEST_EVENT, "EventStreams.TestSink/1", { id: testId, at, account, data: { test_id: testId } });
}

interface Content {
  id: string;
  at: Date;
  account: Account;
  data: CloudEvent["data"];
}

function envelope(type: string, schema: string, { id, at, account, data }: Content): CloudEvent {
  return {
    specversion: "1.0",
    type,
    source: `AB${account.sid.slice(2)}`,
    id,
    dataschema: `https://events-schemas.twilio.com/${schema}`,
    datacontenttype: "application/json",
    time: at.toISOString(),
    data,
  };
}

/** "Currently, the array contains only one event"; without batching some have seen the event itself. */
export type UnbatchedBody = "array" | "object";

export interface StreamRequest extends Stream {
  event: CloudEvent;
  unbatched: UnbatchedBody;
}

/** The hash of the body is part of the URL, and the URL is what is signed: https://www.twilio.com/docs/events/webhook-quickstart */
export function streamRequest({ sink, owner, event, unbatched }: StreamRequest): SignedRequest {
  const single = unbatched === "object" && !sink.batchEvents;
  const body = JSON.stringify(single ? event : [event]);
  const { url, signature } = signText(owner.authToken, { url: sink.destination, text: body });
  const headers = {
    "content-type": "application/json",
    "user-agent": USER_AGENT,
    "x-twilio-signature": signature,
  };
  return { url, method: "POST", headers, body };
}

/** Twilio goes on for four hours, at growing intervals; a refusal is final: https://www.twilio.com/docs/api/errors/91305 */
const RETRIES = 3;

export function streamRetries(outcome: DeliveryOutcome): number {
  switch (outcome.kind) {
    case "answered":
      return outcome.status === 429 || outcome.status >= 500 ? RETRIES : 0;
    case "timed-out":
    case "not-connected":
      return RETRIES;
  }
}
