import pLimit from "p-limit";
import { compare, percentOf, sum } from "../decimal.ts";
import type { Spender, SpendRanking } from "../incidents/incident.ts";
import { type Account, listAccounts } from "../twilio/accounts.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { readSpendToday } from "../twilio/usage-records.ts";
import { limitedTo } from "./time-limit.ts";

const REQUEST_TIMEOUT_MS = 3000;
/** Twilio answers 429 beyond an undocumented number of parallel requests. */
const PARALLEL_REQUESTS = 10;
/** What an alert can show. */
const SHOWN = 10;

/**
 * Who spent most today, among the subaccounts: one request for each. A suspended one counts, because it may have spent
 * what the parent's trigger saw before it was suspended. When the time is over, what was read by then is ranked, and
 * `unread` says how many are missing. Undefined when the accounts can't be listed.
 */
export async function rankSpenders(client: TwilioClient, until: Until): Promise<SpendRanking | undefined> {
  const twilio = limitedTo(client, until);
  const accounts = await retrying(() => listAccounts(twilio, REQUEST_TIMEOUT_MS), until);
  if (accounts.kind === "failed") return undefined;
  const { accounts: listed, setAside, incomplete } = accounts.body;
  const candidates = listed.filter(({ sid, status }) => sid !== twilio.accountSid && status !== "closed");
  const readings = await pLimit(PARALLEL_REQUESTS).map(candidates, (account) => spendOf(twilio, account, until));
  const spenders = readings.filter((reading) => reading !== "unread" && reading !== "nothing");
  // Where the list is incomplete, at least one account is.
  const unlisted = setAside.length + (incomplete === null ? 0 : 1);
  const unread = readings.filter((reading) => reading === "unread").length + unlisted;
  return ranking(spenders, unread, until.clock.now());
}

type Reading = (Omit<Spender, "share"> & { currency: string }) | "unread" | "nothing";

async function spendOf(twilio: TwilioClient, { sid, friendlyName }: Account, until: Until): Promise<Reading> {
  if (until.clock.now().getTime() >= until.deadline) return "unread";
  const answer = await retrying(() => readSpendToday(twilio, sid, "totalprice", REQUEST_TIMEOUT_MS), until);
  if (answer.kind === "failed") return "unread";
  if (answer.body === undefined) return "nothing";
  return { accountSid: sid, friendlyName, price: answer.body.price, currency: answer.body.currency };
}

/** Amounts in different currencies can't be compared: the one that most accounts use is ranked, the others are unread. */
function ranking(readings: readonly Exclude<Reading, string>[], unread: number, now: Date): SpendRanking {
  const byCurrency = [...Map.groupBy(readings, ({ currency }) => currency)].sort(([, a], [, b]) => b.length - a.length);
  const [currency, comparable] = byCurrency[0] ?? ["", []];
  const total = sum(comparable.map(({ price }) => price));
  const sorted = comparable.toSorted((a, b) => compare(b.price, a.price));
  const spenders = sorted.slice(0, SHOWN).map(({ accountSid, friendlyName, price }) => {
    return { accountSid, friendlyName, price, share: percentOf(price, total) };
  });
  return { currency, total, spenders, unread: unread + readings.length - comparable.length, readAt: now.toISOString() };
}
