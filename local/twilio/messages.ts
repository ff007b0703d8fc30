import { Hono } from "hono";
import { happenedIn } from "./date-filter.ts";
import { nameOfError } from "./error-codes.ts";
import { rfc2822 } from "./gmt.ts";
import { apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { unitsOf } from "./money.ts";
import { pageOf } from "./paging.ts";
import type { Account, Message } from "./state.ts";

/** https://www.twilio.com/docs/messaging/api/message-resource; only the most recent messages are kept. */
export function messageRoutes(): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>().get("/Messages", list);
}

function list(context: TwilioContext): Response {
  const query = queryIn(context);
  const account = context.get("account");
  const newestFirst = account.messages.items().reverse();
  const { items, frame } = pageOf({ path: apiPath(context.req.url), query }, newestFirst, wantedBy(query));
  return context.json({ ...frame, messages: items.map((message) => messageAnswer(account, message)) });
}

function wantedBy(query: URLSearchParams): (message: Message) => boolean {
  const asks = (name: string, value: string) => query.get(name) === null || query.get(name) === value;
  return ({ to, from, dateCreated }) =>
    asks("To", to) && asks("From", from) && happenedIn(query, "DateSent", dateCreated);
}

function messageAnswer(account: Account, message: Message) {
  const uri = `/2010-04-01/Accounts/${account.sid}/Messages/${message.sid}`;
  const sent = rfc2822(message.dateCreated);
  return {
    sid: message.sid,
    account_sid: account.sid,
    to: message.to,
    from: message.from,
    body: "Your code is 000000",
    status: message.errorCode === null ? "sent" : "undelivered",
    direction: "outbound-api",
    num_segments: "1",
    num_media: "0",
    price: (-unitsOf(message.price)).toFixed(5),
    price_unit: account.currency.toUpperCase(),
    date_created: sent,
    date_updated: sent,
    date_sent: sent,
    error_code: message.errorCode,
    error_message: message.errorCode === null ? null : nameOfError(message.errorCode),
    messaging_service_sid: null,
    api_version: "2010-04-01",
    uri: `${uri}.json`,
    subresource_uris: { media: `${uri}/Media.json` },
  };
}
