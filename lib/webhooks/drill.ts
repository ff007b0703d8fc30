import type { Clock } from "../clock.ts";
import { DrillNudge } from "../inbox/nudges.ts";
import { CALLBACK_PATH } from "../triggers/callback.ts";
import { type Form, isSignedWith, parseForm, signForm } from "../twilio/signature.ts";
import { decodeUtf8, type ReceivedRequest } from "./receive-webhook.ts";
import type { SigningTokens } from "./signing-tokens.ts";
import { claimedAccount } from "./verified-form.ts";

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

/** `none`: not a rehearsal, perhaps a firing. `undecided`: the parent's token is not known now, so nobody can tell. */
export type DrillReading = { kind: "drill"; nudge: DrillNudge } | { kind: "none" } | { kind: "undecided" };

/** Whether a request asks for a rehearsal. */
export async function readDrill(
  { body, url, signature }: ReceivedRequest,
  { tokens, parentSid, clock }: DrillParts,
): Promise<DrillReading> {
  const drillId = new URL(url).searchParams.get(DRILL_PARAMETER);
  const text = decodeUtf8(body);
  if (drillId === null || text === undefined) return NONE;
  const form = parseForm(text);
  if (!hasFieldsOfADrill(form)) return NONE;
  const token = await tokens.find(parentSid);
  if (token.kind === "unknown") return { kind: "undecided" };
  if (token.kind !== "found" || !isSignedWith(token.authToken, signature, { url, form })) return NONE;
  const nudge = nudgeOf(form, drillId, clock.now());
  return nudge === undefined ? NONE : { kind: "drill", nudge };
}

const NONE: DrillReading = { kind: "none" };

function hasFieldsOfADrill(form: Form): boolean {
  return form.size === FIELDS.length && FIELDS.every((name) => form.get(name)?.length === 1);
}

function nudgeOf(form: Form, drillId: string, now: Date): DrillNudge | undefined {
  const sentAt = form.get(SENT_AT)?.[0];
  if (sentAt === undefined || !(Math.abs(now.getTime() - Date.parse(sentAt)) <= GOOD_FOR_MS)) return undefined;
  const nudge = {
    kind: "drill",
    id: `drill:${drillId}`,
    accountSid: claimedAccount(form),
    receivedAt: now.toISOString(),
    drillId,
    sentAt,
  };
  return DrillNudge.safeParse(nudge).data;
}
