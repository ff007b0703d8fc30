import type { Context } from "hono";
import * as z from "zod/mini";
import type { Clock } from "../clock.ts";
import { problemResponse, together } from "../http/problem.ts";
import type { RaiseReader, RaiseRecord } from "../incidents/raise-store.ts";
import { ACCOUNT_SID } from "../twilio/sids.ts";
import { queryMistakes } from "./query-parameters.ts";
import { readRecord } from "./read-record.ts";

export const RAISES_PATH = "/api/raises";

const QUERY = { account: z.exactOptional(z.string().check(z.regex(ACCOUNT_SID))) };
const EXPECTED = { account: "an AccountSid: AC and 32 hexadecimal digits" };
/** Of all accounts, older ones tell nobody anything. */
const SHOWN_FOR_MS = 31 * 24 * 3600_000;

/** `GET /api/raises`: the limits that somebody raised for a while; of one account all there ever were. */
export async function showRaises(c: Context, parts: { raises: RaiseReader; clock: Clock }): Promise<Response> {
  const given = new URL(c.req.url).searchParams;
  const mistake = together(queryMistakes(given, QUERY, EXPECTED));
  if (mistake !== undefined)
    return problemResponse({ status: 400, title: "The list cannot be read like this", ...mistake });
  const account = given.get("account") ?? undefined;
  const records = await readRecord(() => parts.raises.list(account));
  const now = parts.clock.now();
  const shown = account === undefined ? records.filter((record) => isRecent(record, now)) : records;
  return c.json({ raises: shown.map((record) => viewOf(record, now)) });
}

function isRecent({ at, until, ended }: RaiseRecord, now: Date): boolean {
  const latest = [at, ended?.rest?.until, ended === null ? until : ended.at]
    .filter((time) => time != null)
    .sort()
    .at(-1);
  return Date.parse(latest ?? at) > now.getTime() - SHOWN_FOR_MS;
}

/**
 * `ending`: its time is over, and the policy's value counts, but what was spent under it is not written down yet. `resting`:
 * it has ended, and for the rest of its period the limit is `ended.rest.to`.
 */
type State = "raised" | "ending" | "resting" | "ended" | "refused";

function viewOf(record: RaiseRecord, now: Date): Omit<RaiseRecord, "state"> & { state: State } {
  return { ...record, state: stateOf(record, now) };
}

function stateOf({ state, until, ended }: RaiseRecord, now: Date): State {
  if (state === "raised") return Date.parse(until) > now.getTime() ? "raised" : "ending";
  return ended?.rest != null && Date.parse(ended.rest.until) > now.getTime() ? "resting" : state;
}
