import { Hono } from "hono";
import { happenedIn } from "./date-filter.ts";
import { callNotInProgress, invalidParameter, notFound, refuse } from "./errors.ts";
import { rfc2822 } from "./gmt.ts";
import { apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { type Micros, unitsOf } from "./money.ts";
import { pageOf } from "./paging.ts";
import { type Account, type Call, isLive, type World } from "./state.ts";

/** https://www.twilio.com/docs/voice/api/call-resource */
export function callRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Calls", list)
    .get("/Calls/:Sid", fetch)
    .post("/Calls/:Sid", (context) => update(world, context));
}

function list(context: TwilioContext): Response {
  const query = queryIn(context);
  const account = context.get("account");
  const newestFirst = [...account.calls.values()].reverse();
  const { items, frame } = pageOf({ path: apiPath(context.req.url), query }, newestFirst, wantedBy(query));
  return context.json({ ...frame, calls: items.map((call) => callAnswer(account, call)) });
}

function wantedBy(query: URLSearchParams): (call: Call) => boolean {
  const asks = (name: string, value: string) => query.get(name) === null || query.get(name) === value;
  return (call) =>
    asks("Status", call.status) &&
    asks("To", call.to) &&
    asks("From", call.from) &&
    happenedIn(query, "StartTime", call.startTime) &&
    happenedIn(query, "EndTime", call.endTime);
}

function fetch(context: TwilioContext): Response {
  const account = context.get("account");
  const call = account.calls.get(context.req.param("Sid") ?? "");
  if (call === undefined) return refuse(context, notFound(apiPath(context.req.url)));
  return context.json(callAnswer(account, call));
}

function update(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const call = account.calls.get(context.req.param("Sid") ?? "");
  if (call === undefined) return refuse(context, notFound(apiPath(context.req.url)));
  const status = context.get("form").get("Status");
  if (status !== null && status !== "completed" && status !== "canceled") {
    return refuse(context, invalidParameter("Invalid call status: expected completed or canceled."));
  }
  if (!isLive(call)) return refuse(context, callNotInProgress);
  if (status === "completed" || (status === "canceled" && call.status !== "in-progress")) endCall(world, call);
  // Canceling "will not affect calls already in progress": Twilio answers with the call as it is.
  return context.json(callAnswer(account, call));
}

/** Ends a live call: one that was never answered is `canceled`, any other `completed`. */
export function endCall(world: World, call: Call): void {
  const now = world.clock.now();
  call.status = call.status === "in-progress" ? "completed" : "canceled";
  call.endTime = now;
  call.dateUpdated = now;
}

function callAnswer(account: Account, call: Call) {
  const uri = `/2010-04-01/Accounts/${account.sid}/Calls/${call.sid}`;
  const ended = !isLive(call);
  return {
    sid: call.sid,
    account_sid: account.sid,
    to: call.to,
    to_formatted: call.to,
    from: call.from,
    from_formatted: call.from,
    status: call.status,
    date_created: rfc2822(call.dateCreated),
    date_updated: rfc2822(call.dateUpdated),
    start_time: call.startTime === null ? null : rfc2822(call.startTime),
    end_time: call.endTime === null ? null : rfc2822(call.endTime),
    duration: ended ? String(call.minutes * 60) : null,
    price: ended ? charged(call.pricePerMinute * call.minutes) : null,
    price_unit: account.currency.toUpperCase(),
    direction: "outbound-api",
    api_version: "2010-04-01",
    uri: `${uri}.json`,
    subresource_uris: { recordings: `${uri}/Recordings.json`, events: `${uri}/Events.json` },
    ...NEVER_SET,
  };
}

// A charge is negative: the example in Twilio's OpenAPI file is "-0.03000".
const charged = (price: Micros): string => (-unitsOf(price)).toFixed(5);

const NEVER_SET = {
  parent_call_sid: null,
  phone_number_sid: null,
  answered_by: null,
  forwarded_from: null,
  group_sid: null,
  caller_name: null,
  queue_time: "0",
  trunk_sid: null,
};
