import * as z from "zod/mini";
import { type Problem, together } from "../http/problem.ts";
import { INCIDENT_STATES } from "../incidents/incident.ts";
import { INCIDENT_ID, type IncidentQuery } from "../incidents/incident-reader.ts";
import type { WaitingQuery } from "../incidents/waiting-store.ts";
import { ACCOUNT_SID } from "../twilio/sids.ts";
import { decodeCursor } from "./cursor.ts";
import { queryMistakes } from "./query-parameters.ts";

type Read<Q> = { kind: "query"; query: Q } | { kind: "refused"; problem: Problem };
export type ListQuery = Read<IncidentQuery>;

const DEFAULT_LIMIT = 25;
const ONE_TO_100 = /^(?:[1-9]\d?|100)$/;
/** Each is a line, and who has to decide about a thousand wants to see them. */
const DEFAULT_WAITING = 100;
const ONE_TO_1000 = /^(?:[1-9]\d{0,2}|1000)$/;

const whole = (range: RegExp, byDefault: number) =>
  z._default(z.pipe(z.string().check(z.regex(range)), z.transform(Number)), byDefault);
const cursorOf = (id: RegExp) =>
  z.exactOptional(z.string().check(z.refine((cursor) => decodeCursor(cursor, id) !== undefined)));

const INCIDENTS = {
  state: z.exactOptional(z.enum(INCIDENT_STATES)),
  account: z.exactOptional(z.string().check(z.regex(ACCOUNT_SID))),
  limit: whole(ONE_TO_100, DEFAULT_LIMIT),
  cursor: cursorOf(INCIDENT_ID),
};
const Incidents = z.strictObject(INCIDENTS);
const WAITING = { limit: whole(ONE_TO_1000, DEFAULT_WAITING), cursor: cursorOf(ACCOUNT_SID) };
const Waiting = z.strictObject(WAITING);

const CURSOR = "the `next` of an earlier answer, unchanged";
const EXPECTED = {
  state: `one of ${INCIDENT_STATES.join(", ")}`,
  account: "an AccountSid: AC and 32 hexadecimal digits",
  limit: "a whole number from 1 to 100",
  cursor: CURSOR,
};
const EXPECTED_OF_WAITING = { limit: "a whole number from 1 to 1000", cursor: CURSOR };

const REFUSAL = { status: 400, title: "The list cannot be read like this" } as const;

/** Reads the query string of the list of incidents. Anything unknown, repeated or out of range is refused, with what is allowed. */
export function readListQuery(given: URLSearchParams): ListQuery {
  const mistake = together(queryMistakes(given, INCIDENTS, EXPECTED));
  if (mistake !== undefined) return { kind: "refused", problem: { ...REFUSAL, ...mistake } };
  return { kind: "query", query: asQuery(Incidents.parse(Object.fromEntries(given))) };
}

/** The same of the list of those that wait at the brake. */
export function readWaitingQuery(given: URLSearchParams): Read<WaitingQuery> {
  const mistake = together(queryMistakes(given, WAITING, EXPECTED_OF_WAITING));
  if (mistake !== undefined) return { kind: "refused", problem: { ...REFUSAL, ...mistake } };
  const { limit, cursor = "" } = Waiting.parse(Object.fromEntries(given));
  return { kind: "query", query: { limit, after: decodeCursor(cursor, ACCOUNT_SID) ?? "" } };
}

function asQuery({ state, account, limit, cursor }: z.infer<typeof Incidents>): IncidentQuery {
  const before = cursor === undefined ? undefined : decodeCursor(cursor, INCIDENT_ID);
  return {
    limit,
    ...(state !== undefined && { state }),
    ...(account !== undefined && { accountSid: account }),
    ...(before !== undefined && { before }),
  };
}
