import type { Context } from "hono";
import * as z from "zod/mini";
import { MOST_IN_BATCH } from "../../inbox/commands.ts";
import { CHECK_IDS, CHECKLIST_DIGEST, CLEANUP_IDS } from "../../incidents/checklist.ts";
import { ACCOUNT_SID } from "../../twilio/sids.ts";
import { readBody } from "./read-body.ts";
import type { Refused } from "./verdict.ts";
import { OBJECTIONS, type Wished } from "./wished.ts";

/** From a request to what it asks for. What is not in a body counts as left out, not as a mistake. */
export type WishReader = (c: Context, target: string) => Promise<{ kind: "wish"; wish: Wished } | Refused>;

const text = (expected: string) => z.string({ error: expected });
const list = <T extends z.core.$ZodType>(item: T, expected: string) =>
  z._default(z.array(item, { error: expected }), () => []);
const listOf = <const T extends readonly string[]>(names: T) => {
  const expected = `any of ${names.join(", ")}`;
  return list(z.enum(names, { error: expected }), `a list of ${expected}`);
};

const reason = z._default(text("a text of 10 to 500 characters"), "");
const COUNTRY = "a list of ISO 3166-1 alpha-2 codes, such as US";
const SIDS = "a list of AccountSids: AC and 32 hexadecimal digits each";

const DIGEST = "the `digest` of the check-list that you answer: 16 hexadecimal digits";

const Reactivation = z.strictObject({
  reason,
  acknowledge: listOf(CHECK_IDS),
  cleanup: listOf(CLEANUP_IDS),
  countries: list(text(COUNTRY), COUNTRY),
  checklist: z.exactOptional(text(DIGEST).check(z.regex(CHECKLIST_DIGEST, DIGEST))),
});
const ReasonAlone = z.strictObject({ reason });
const Nothing = z.strictObject({});
const Suspension = z.strictObject({ reason, acknowledge: listOf(OBJECTIONS) });
const accounts = z.array(text(SIDS).check(z.regex(ACCOUNT_SID, SIDS)), { error: SIDS });
// An empty list names nobody: only what is left out, or null, means everybody.
const Release = z.strictObject({ reason, accounts: z._default(z.nullable(accounts), null) });
const AMOUNT = "a positive number, or the same as text";
const TIME = "an ISO 8601 time with its zone, such as 2027-01-31T18:00:00Z";
const Raise = z.strictObject({
  reason,
  // As a number 0.1 is not exactly what was written; as text it is.
  to: z._default(z.union([z.string(), z.number()], { error: AMOUNT }), ""),
  until: z._default(text(TIME), ""),
});

const RULES = "a list of the rules that they tripped by, such as daily-spend";
const SINCE = "a time, ISO 8601 in UTC, such as 2026-11-21T03:00:00Z";
const INCIDENTS = `1 to ${MOST_IN_BATCH} of {"id": ..., "checklist": the digest of the check-list that you were shown}`;
const several = {
  reason,
  rules: z.array(text(RULES), { error: RULES }).check(z.minLength(1, RULES), z.maxLength(20, RULES)),
  since: z.iso.datetime(SINCE),
  incidents: z
    .array(
      z.strictObject({
        id: text(INCIDENTS),
        checklist: z.exactOptional(text(DIGEST).check(z.regex(CHECKLIST_DIGEST, DIGEST))),
      }),
      { error: INCIDENTS },
    )
    .check(z.minLength(1, INCIDENTS), z.maxLength(MOST_IN_BATCH, INCIDENTS)),
};
const Reactivations = z.strictObject({
  ...several,
  acknowledge: listOf(CHECK_IDS),
  cleanup: listOf(CLEANUP_IDS),
  countries: list(text(COUNTRY), COUNTRY),
});
const Dismissals = z.strictObject(several);

export const readReactivations: WishReader = async (c) => {
  const read = await readBody(c, Reactivations);
  return read.kind === "refused" ? read : wish({ kind: "batch", action: "reactivate", ...read.body });
};

export const readDismissals: WishReader = async (c) => {
  const read = await readBody(c, Dismissals);
  const none = { acknowledge: [], cleanup: [], countries: [] };
  return read.kind === "refused" ? read : wish({ kind: "batch", action: "dismiss", ...none, ...read.body });
};

export const readReactivation: WishReader = async (c, incidentId) => {
  const read = await readBody(c, Reactivation);
  return read.kind === "refused" ? read : wish({ kind: "reactivate", incidentId, ...read.body });
};

export const readDismissal: WishReader = async (c, incidentId) => {
  const read = await readBody(c, ReasonAlone);
  return read.kind === "refused" ? read : wish({ kind: "dismiss", incidentId, ...read.body });
};

export const readCheck: WishReader = async (c, incidentId) => {
  const read = await readBody(c, Nothing);
  return read.kind === "refused" ? read : wish({ kind: "check", incidentId });
};

export const readRestoration: WishReader = async (c, incidentId) => {
  const read = await readBody(c, ReasonAlone);
  return read.kind === "refused" ? read : wish({ kind: "restore-numbers", incidentId, ...read.body });
};

export const readSuspension: WishReader = async (c, accountSid) => {
  const read = await readBody(c, Suspension);
  return read.kind === "refused" ? read : wish({ kind: "suspend", accountSid, ...read.body });
};

export const readAdoption: WishReader = async (c, accountSid) => {
  const read = await readBody(c, ReasonAlone);
  return read.kind === "refused" ? read : wish({ kind: "adopt", accountSid, ...read.body });
};

export const readRelease: WishReader = async (c) => {
  const read = await readBody(c, Release);
  return read.kind === "refused" ? read : wish({ kind: "release-brake", ...read.body });
};

export const readRaise: WishReader = async (c, accountSid) => {
  const read = await readBody(c, Raise);
  if (read.kind === "refused") return read;
  const { to, ...rest } = read.body;
  return wish({ kind: "raise-limit", accountSid, limit: limitIn(c), to: String(to), ...rest });
};

export const readRaiseEnd: WishReader = async (c, accountSid) => {
  const read = await readBody(c, ReasonAlone);
  return read.kind === "refused" ? read : wish({ kind: "end-raise", accountSid, limit: limitIn(c), ...read.body });
};

function limitIn(c: Context): string {
  return c.req.param("limit") ?? "";
}

function wish(wished: Wished): { kind: "wish"; wish: Wished } {
  return { kind: "wish", wish: wished };
}
