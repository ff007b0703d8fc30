import { parseForm, signForm } from "../../../lib/twilio/signature.ts";
import { rfc2822 } from "../../../local/twilio/gmt.ts";
import { PUBLIC_URL } from "../core.ts";
import type { Webhook } from "./seen.ts";
import type { Time } from "./time.ts";
import { API_URL, type Twilio } from "./twilio.ts";

/** Whoever has got hold of the accounts' own auth tokens: acts at Twilio, and signs whatever it likes. */
export interface Thief {
  act(accountSid: string, theft: Theft): Promise<void>;
  /** A webhook about the account, signed with the token as the thief knows it. */
  forge(accountSid: string, forgery: Forgery): Forged;
  /** The same, signed by somebody who knows no token of the account. */
  unsigned(accountSid: string): Forged;
  /** Whether the thief knows the account's present token. */
  knowsToken(accountSid: string): boolean;
  /** Every token that it ever knew. */
  stolen(): ReadonlySet<string>;
  /** The usage triggers that it made. */
  triggers: ReadonlySet<string>;
}

export const THEFTS = [
  "delete-triggers",
  "move-triggers",
  "make-key",
  "secondary-token",
  "promote-token",
  "own-guard",
] as const;
export type Theft = (typeof THEFTS)[number];

export const FORGERIES = [
  "over",
  "under",
  "warning",
  "old",
  "future",
  "guard",
  "made-up-rule",
  "not-understood",
] as const;
export type Forgery = (typeof FORGERIES)[number];

interface Forged {
  request: Request;
  webhook: Webhook;
}

/** In the IdempotencyToken of each webhook that nobody signed. */
export const UNSIGNED_MARK = "nobody-signed-this";
const HOUR_MS = 3600_000;

export function thiefOf(twilio: Twilio, time: Time): Thief {
  const tokens = new Map(twilio.sids.map((sid) => [sid, new Set([twilio.known(sid).authToken])]));
  const triggers = new Set<string>();
  let forged = 0;

  const knownTokens = (sid: string) => tokens.get(sid) ?? new Set<string>();
  const knowsToken = (sid: string) => knownTokens(sid).has(twilio.known(sid).authToken);
  /** The one that is good, if it knows it; else the last that was. */
  const tokenOf = (sid: string) =>
    knowsToken(sid) ? twilio.known(sid).authToken : ([...knownTokens(sid)].at(-1) ?? "");

  async function ask(sid: string, method: string, path: string, form?: Record<string, string>): Promise<unknown> {
    const authorization = `Basic ${Buffer.from(`${sid}:${tokenOf(sid)}`).toString("base64")}`;
    const body = form && { body: new URLSearchParams(form) };
    const response = await twilio.ask(new Request(API_URL + path, { method, headers: { authorization }, ...body }));
    const text = await response.text();
    if (!response.ok || text === "") return undefined;
    const answer: unknown = JSON.parse(text);
    for (const name of ["auth_token", "secondary_auth_token"]) {
      const token = textIn(answer, name);
      if (token !== "") knownTokens(sid).add(token);
    }
    return answer;
  }

  async function act(sid: string, theft: Theft): Promise<void> {
    const base = `/api/2010-04-01/Accounts/${sid}`;
    const all = [...twilio.known(sid).triggers.keys()];
    switch (theft) {
      case "delete-triggers":
        for (const one of all) await ask(sid, "DELETE", `${base}/Usage/Triggers/${one}.json`);
        return;
      case "move-triggers":
        for (const one of all)
          await ask(sid, "POST", `${base}/Usage/Triggers/${one}.json`, { CallbackUrl: "https://thief.test/" });
        return;
      case "make-key":
        await ask(sid, "POST", `${base}/Keys.json`, { FriendlyName: "a thief's" });
        return;
      case "secondary-token":
        await ask(sid, "POST", "/accounts/v1/AuthTokens/Secondary", {});
        return;
      case "promote-token":
        await ask(sid, "POST", "/accounts/v1/AuthTokens/Promote", {});
        return;
      case "own-guard":
        triggers.add(textIn(await ask(sid, "POST", `${base}/Usage/Triggers.json`, OWN_GUARD), "sid"));
        return;
    }
  }

  function forge(sid: string, forgery: Forgery): Forged {
    const { form, query } = made(sid, forgery);
    return signed(sid, { form, query, token: tokenOf(sid), by: "forger" });
  }

  function made(sid: string, forgery: Forgery) {
    const own = twilio.triggers(sid).find(({ friendlyName }) => friendlyName === "tollbreaker: spend")?.sid;
    const [now, period] = [time.now(), { Recurring: "daily", TriggerValue: "100.000000" }];
    const form = {
      AccountSid: sid,
      UsageTriggerSid: own ?? `UT${"0".repeat(32)}`,
      DateFired: rfc2822(new Date(now)),
      ...period,
      UsageCategory: "totalprice",
      TriggerBy: "price",
      CurrentValue: "130.5",
      UsageRecordUri: "/x",
      IdempotencyToken: `forged-${++forged}`,
    };
    switch (forgery) {
      case "over":
        return { form, query: "limit=spend" };
      case "under":
        return { form: { ...form, CurrentValue: "5" }, query: "limit=spend" };
      case "warning":
        return { form: { ...form, TriggerValue: "80", CurrentValue: "85" }, query: "limit=warning" };
      case "old":
        return { form: { ...form, DateFired: rfc2822(new Date(now - 40 * HOUR_MS)) }, query: "limit=spend" };
      case "future":
        return { form: { ...form, DateFired: rfc2822(new Date(now + HOUR_MS)) }, query: "limit=spend" };
      case "guard":
        return { form: { ...form, Recurring: "", TriggerValue: "1" }, query: "limit=spend&probation=1" };
      case "made-up-rule":
        return { form, query: `limit=made-up-${forged}` };
      case "not-understood":
        return { form: { ...form, CurrentValue: "lots" }, query: "limit=spend" };
    }
  }

  function signed(sid: string, { form, query, token, by }: Making): Forged {
    const url = `${PUBLIC_URL}/webhooks/usage-trigger?${query}`;
    const body = new URLSearchParams(form).toString();
    const signature = signForm(token, { url, form: parseForm(body) });
    const headers = { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature };
    const request = new Request(url, { method: "POST", headers, body });
    return { request, webhook: webhookIn(sid, by, form, new URL(url), time.now()) };
  }

  return {
    act,
    forge,
    unsigned(sid) {
      const { form, query } = made(sid, "over");
      const marked = { ...form, IdempotencyToken: `${UNSIGNED_MARK}-${forged}` };
      return signed(sid, { form: marked, query, token: "nobodys-token", by: "stranger" });
    },
    knowsToken,
    stolen: () => new Set([...tokens.values()].flatMap((all) => [...all])),
    triggers,
  };
}

interface Making {
  form: Readonly<Record<string, string>>;
  query: string;
  token: string;
  by: Webhook["by"];
}

/** Far above what is spent: it stands where a guard of ours would, and never fires. */
const OWN_GUARD = {
  FriendlyName: "tollbreaker: spend probation",
  CallbackUrl: `${PUBLIC_URL}/webhooks/usage-trigger?limit=spend&probation=0123456789ab`,
  UsageCategory: "totalprice",
  TriggerBy: "price",
  TriggerValue: "100000",
};

export function webhookIn(
  accountSid: string,
  by: Webhook["by"],
  form: Readonly<Record<string, string>>,
  { searchParams }: URL,
  firedAt: number,
): Webhook {
  return {
    ...{ by, accountSid, firedAt },
    usageTriggerSid: form["UsageTriggerSid"] ?? "",
    limit: searchParams.get("limit"),
    isGuard: searchParams.has("probation"),
    triggerValue: Number(form["TriggerValue"]),
    currentValue: Number(form["CurrentValue"]),
  };
}

function textIn(answer: unknown, name: string): string {
  const value: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, name) : undefined;
  return typeof value === "string" ? value : "";
}
