import type { Clock } from "../clock.ts";
import { DrillNudge } from "../inbox/nudges.ts";
import { CALLBACK_PATH } from "../triggers/callback.ts";
import { type Form, parseForm, signForm } from "../twilio/signature.ts";
import type { SigningTokens, Undecided } from "./signing-tokens.ts";
import type { ReceivedForm } from "./verified-form.ts";

/**
 * A rehearsal comes the way that a firing comes: a signed form, to the same address. What marks it is in the query, so it
 * is signed, too; and it counts only where the parent's auth token signed it, which Twilio uses for none of the
 * subaccounts. So a stranger can't send one, and whoever holds a subaccount can't make its firings look like one.
 */
const DRILL_PARAMETER = "drill";
const SENT_AT = "SentAt";
/** With them alone it is a rehearsal: whatever has a firing's fields is a firing. */
const FIELDS = ["AccountSid", SENT_AT];
/** Recorded ones do not work for ever. As wide as the clocks of two machines may differ. */
const GOOD_FOR_MS = 15 * 60_000;

export interface Drill {
  publicUrl: string;
  /** The parent's. */
  authToken: string;
  accountSid: string;
  /** 8 to 64 small letters, digits and dashes; another one each time. */
  drillId: string;
  sentAt: Date;
}

/** The request that asks for a rehearsal. */
export function drillRequest({ publicUrl, authToken, accountSid, drillId, sentAt }: Drill): Request {
  const url = `${publicUrl.replace(/\/+$/, "")}${CALLBACK_PATH}?${new URLSearchParams({ [DRILL_PARAMETER]: drillId })}`;
  const body = new URLSearchParams({ AccountSid: accountSid, [SENT_AT]: sentAt.toISOString() }).toString();
  const signature = signForm(authToken, { url, form: parseForm(body) });
  return new Request(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      "x-twilio-signature": signature,
    },
    body,
    // To another address it would not be signed rightly.
    redirect: "manual",
  });
}

export interface DrillParts {
  tokens: SigningTokens;
  /** The parent's AccountSid. */
  parentSid: string;
  clock: Clock;
}

/** `none`: not a rehearsal, perhaps a firing. */
export type DrillReading = { kind: "drill"; nudge: DrillNudge } | { kind: "none" } | Undecided;

/** Whether a request to `url` asks for a rehearsal. */
export async function readDrill(
  url: string,
  { form, accountSid, isSignedWith }: ReceivedForm,
  { tokens, parentSid, clock }: DrillParts,
): Promise<DrillReading> {
  if (!hasFieldsOfADrill(form)) return NONE;
  const drillId = new URL(url).searchParams.get(DRILL_PARAMETER);
  if (drillId === null) return NONE;
  const verdict = await tokens.check(parentSid, isSignedWith);
  if (verdict.kind === "undecided") return verdict;
  if (verdict.kind !== "signed") return NONE;
  const nudge = nudgeOf({ accountSid, drillId, sentAt: form.get(SENT_AT)?.[0] }, clock.now());
  return nudge === undefined ? NONE : { kind: "drill", nudge };
}

const NONE: DrillReading = { kind: "none" };

function hasFieldsOfADrill(form: Form): boolean {
  return form.size === FIELDS.length && FIELDS.every((name) => form.get(name)?.length === 1);
}

interface Rehearsal {
  accountSid: string;
  drillId: string;
  sentAt: string | undefined;
}

function nudgeOf({ accountSid, drillId, sentAt }: Rehearsal, now: Date): DrillNudge | undefined {
  if (sentAt === undefined || !(Math.abs(now.getTime() - Date.parse(sentAt)) <= GOOD_FOR_MS)) return undefined;
  const receivedAt = now.toISOString();
  return DrillNudge.safeParse({ kind: "drill", id: `drill:${drillId}`, accountSid, receivedAt, drillId, sentAt }).data;
}
