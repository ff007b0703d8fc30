import { Hono } from "hono";
import { allTime, asOf, type Days, dayOf, daysBefore, thisMonth, today } from "./gmt.ts";
import { apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { shortDecimal, unitsOf } from "./money.ts";
import { pageOf } from "./paging.ts";
import type { Account, World } from "./state.ts";
import { CALL_CATEGORIES, SMS_CATEGORIES, TOTAL_PRICE, type Usage, usageOf, usedCategories } from "./usage.ts";

const UNITS: Record<string, { description: string; count: string; usage: string }> = {
  sms: { description: "SMS", count: "messages", usage: "messages" },
  "sms-outbound": { description: "Outbound SMS", count: "messages", usage: "messages" },
  "sms-outbound-longcode": { description: "Outbound SMS, Long Code", count: "messages", usage: "messages" },
  calls: { description: "Voice Minutes", count: "calls", usage: "minutes" },
  "calls-outbound": { description: "Outbound Voice Minutes", count: "calls", usage: "minutes" },
};
const ALWAYS_LISTED = [TOTAL_PRICE, ...SMS_CATEGORIES, ...CALL_CATEGORIES];

/**
 * https://www.twilio.com/docs/usage/api/usage-record: the plain list and the subresources that sum the same numbers
 * over other spans of GMT days.
 */
export function usageRecordRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Usage/Records", (context) => list(world, context, "Records"))
    .get("/Usage/Records/:Span{Today|Yesterday|ThisMonth|LastMonth|Daily|AllTime}", (context) =>
      list(world, context, context.req.param("Span")),
    );
}

interface UsageRecord {
  /** Only orders the pages; Usage Records have no SID. */
  sid: string;
  category: string;
  days: Days;
}

function list(world: World, context: TwilioContext, span: string): Response {
  const query = queryIn(context);
  const now = world.clock.now();
  const accounts = accountsIn(world, context.get("account"), query);
  const records = recordsOf(accounts, spansOf(span, query, now, accounts));
  const category = query.get("Category");
  const { items, frame } = pageOf(
    { path: apiPath(context.req.url), query },
    records,
    (record) => category === null || record.category === category,
  );
  const answers = items.map((record) => recordAnswer(context.get("account"), record, sum(accounts, record), now));
  return context.json({ ...frame, usage_records: answers });
}

// The documented default of IncludeSubaccounts is true; it changes something for the parent account only.
function accountsIn(world: World, account: Account, query: URLSearchParams): Account[] {
  const all = account.sid === world.parentSid && query.get("IncludeSubaccounts") !== "false";
  return all ? [...world.accounts.values()] : [account];
}

function spansOf(span: string, query: URLSearchParams, now: Date, accounts: readonly Account[]): Days[] {
  const asked = askedDays(query, now);
  switch (span) {
    case "Today":
      return [today(now)];
    case "Yesterday":
      return [today(daysBefore(now, 1))];
    case "ThisMonth":
      return [thisMonth(now)];
    case "LastMonth":
      return [lastMonth(now)];
    case "Daily":
      return daysWithUsage(accounts, asked);
    default:
      return [asked];
  }
}

function recordsOf(accounts: readonly Account[], spans: readonly Days[]): UsageRecord[] {
  const categories = new Set(ALWAYS_LISTED);
  for (const { ledger } of accounts) for (const category of usedCategories(ledger)) categories.add(category);
  return spans.flatMap((days) =>
    [...categories].map((category) => ({ sid: `${category}.${days.first}`, category, days })),
  );
}

function sum(accounts: readonly Account[], { category, days }: UsageRecord): Usage {
  const total: Usage = { count: 0, usage: 0, price: 0 };
  for (const { ledger } of accounts) {
    const used = usageOf(ledger, category, days);
    total.count += used.count;
    total.usage += used.usage;
    total.price += used.price;
  }
  return total;
}

function recordAnswer(account: Account, { category, days }: UsageRecord, used: Usage, now: Date) {
  const uri = `/2010-04-01/Accounts/${account.sid}/Usage/Records`;
  const query = `Category=${category}`;
  const isTotal = category === TOTAL_PRICE;
  const units = UNITS[category] ?? { description: category, count: "", usage: "" };
  return {
    account_sid: account.sid,
    api_version: "2010-04-01",
    as_of: asOf(now),
    category,
    description: isTotal ? "Total Price" : units.description,
    count: isTotal ? null : String(used.count),
    count_unit: units.count,
    usage: shortDecimal(used.usage),
    usage_unit: isTotal ? account.currency : units.usage,
    price: unitsOf(used.price),
    price_unit: account.currency,
    start_date: days.first < "1970" ? dayOf(account.dateCreated) : days.first,
    end_date: days.last,
    uri: `${uri}.json?${query}&StartDate=${days.first}&EndDate=${days.last}`,
    subresource_uris: {
      today: `${uri}/Today.json?${query}`,
      daily: `${uri}/Daily.json?${query}`,
      this_month: `${uri}/ThisMonth.json?${query}`,
      all_time: `${uri}/AllTime.json?${query}`,
    },
  };
}

function askedDays(query: URLSearchParams, now: Date): Days {
  const { first, last } = allTime(now);
  return { first: dayIn(query.get("StartDate"), now) ?? first, last: dayIn(query.get("EndDate"), now) ?? last };
}

// Besides YYYY-MM-DD Twilio takes offsets from today such as -30days.
function dayIn(text: string | null, now: Date): string | undefined {
  const [, sign, days] = /^([+-])(\d{1,4})days$/.exec(text ?? "") ?? [];
  if (days !== undefined) return dayOf(daysBefore(now, sign === "-" ? Number(days) : -Number(days)));
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
}

function daysWithUsage(accounts: readonly Account[], { first, last }: Days): Days[] {
  const days = new Set(accounts.flatMap(({ ledger }) => [...ledger.keys()]));
  return [...days]
    .filter((day) => day >= first && day <= last)
    .sort()
    .reverse()
    .map((day) => ({ first: day, last: day }));
}

function lastMonth(now: Date): Days {
  const lastDay = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0));
  return thisMonth(lastDay);
}
