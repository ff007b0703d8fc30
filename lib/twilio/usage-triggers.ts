import * as z from "zod/mini";
import { Amount, amountOf } from "./amount.ts";
import type { Answer, TwilioClient } from "./client.ts";
import { pages } from "./paging.ts";
import { accountPath } from "./paths.ts";
import { USAGE_TRIGGER_SID } from "./sids.ts";

/** https://www.twilio.com/docs/usage/api/usage-trigger. Texts are empty, where Twilio gives nothing. */
export interface UsageTrigger {
  sid: string;
  /** The account whose usage it watches. */
  accountSid: string;
  friendlyName: string;
  callbackUrl: string;
  callbackMethod: string;
  usageCategory: string;
  triggerBy: string;
  /** Decimal strings. */
  triggerValue: string;
  currentValue: string;
  /** "daily", "monthly", "yearly", "alltime"; empty for one that fires once. */
  recurring: string;
  /** As Twilio gave it (RFC 2822); null for one that never fired. */
  dateFired: string | null;
}

/** What is needed to create one. `triggerValue` may be an offset, `+25`: 25 more than the present usage. */
export type NewUsageTrigger = Pick<
  UsageTrigger,
  "friendlyName" | "callbackUrl" | "usageCategory" | "triggerBy" | "triggerValue" | "recurring"
>;

// A trigger of somebody else's that is odd in some field must not keep us from reading our own.
const UsageTriggerResource = z.object({
  sid: z.string().check(z.regex(USAGE_TRIGGER_SID)),
  account_sid: z.nullish(z.string()),
  friendly_name: z.nullish(z.string()),
  callback_url: z.nullish(z.string()),
  callback_method: z.nullish(z.string()),
  usage_category: z.nullish(z.string()),
  trigger_by: z.nullish(z.string()),
  trigger_value: Amount,
  current_value: Amount,
  recurring: z.nullish(z.string()),
  date_fired: z.nullish(z.string()),
});
const UsageTriggerPage = z.object({
  usage_triggers: z.array(UsageTriggerResource),
  next_page_uri: z.nullish(z.string()),
});

/** All triggers of the account: one request per 1,000, which is the most that an account can have. */
export async function listUsageTriggers(
  twilio: TwilioClient,
  accountSid: string,
  timeoutMs: number,
): Promise<Answer<UsageTrigger[]>> {
  return pages(twilio, {
    path: `${accountPath(accountSid, "Usage", "Triggers")}?PageSize=1000`,
    answer: UsageTriggerPage,
    items: (page) => page.usage_triggers.map(usageTriggerOf),
    timeoutMs,
  });
}

/** One trigger, itself: lists may lag. `not-found` once it is gone. */
export async function fetchUsageTrigger(
  twilio: TwilioClient,
  accountSid: string,
  sid: string,
  timeoutMs: number,
): Promise<Answer<UsageTrigger>> {
  const path = accountPath(accountSid, "Usage", "Triggers", sid);
  return understood(await twilio.send({ path, answer: UsageTriggerResource, timeoutMs }));
}

/** Not repeatable: asked twice, Twilio makes two. After an answer that did not come, look at the list first. */
export async function createUsageTrigger(
  twilio: TwilioClient,
  accountSid: string,
  wanted: NewUsageTrigger,
  timeoutMs: number,
): Promise<Answer<UsageTrigger>> {
  const form = {
    CallbackUrl: wanted.callbackUrl,
    CallbackMethod: "POST",
    FriendlyName: wanted.friendlyName,
    UsageCategory: wanted.usageCategory,
    TriggerBy: wanted.triggerBy,
    TriggerValue: wanted.triggerValue,
    Recurring: wanted.recurring,
  };
  const path = accountPath(accountSid, "Usage", "Triggers");
  return understood(await twilio.send({ path, form, answer: UsageTriggerResource, timeoutMs }));
}

/** "You cannot update the category or value of an existing UsageTrigger": only what it calls, and its name. */
export async function updateUsageTrigger(
  twilio: TwilioClient,
  accountSid: string,
  sid: string,
  { callbackUrl, friendlyName }: Pick<UsageTrigger, "callbackUrl" | "friendlyName">,
  timeoutMs: number,
): Promise<Answer<UsageTrigger>> {
  const form = { CallbackUrl: callbackUrl, CallbackMethod: "POST", FriendlyName: friendlyName };
  const path = accountPath(accountSid, "Usage", "Triggers", sid);
  return understood(await twilio.send({ path, form, answer: UsageTriggerResource, timeoutMs }));
}

/** A trigger that is not there any more is a failure, `not-found`. */
export async function deleteUsageTrigger(
  twilio: TwilioClient,
  accountSid: string,
  sid: string,
  timeoutMs: number,
): Promise<Answer<unknown>> {
  const path = accountPath(accountSid, "Usage", "Triggers", sid);
  return twilio.send({ path, method: "DELETE", answer: z.unknown(), timeoutMs });
}

function understood(answer: Answer<z.infer<typeof UsageTriggerResource>>): Answer<UsageTrigger> {
  return answer.kind === "ok" ? { kind: "ok", body: usageTriggerOf(answer.body) } : answer;
}

function usageTriggerOf(resource: z.infer<typeof UsageTriggerResource>): UsageTrigger {
  return {
    sid: resource.sid,
    accountSid: resource.account_sid ?? "",
    friendlyName: resource.friendly_name ?? "",
    callbackUrl: resource.callback_url ?? "",
    callbackMethod: resource.callback_method ?? "POST",
    usageCategory: resource.usage_category ?? "",
    triggerBy: resource.trigger_by ?? "",
    triggerValue: amountOf(resource.trigger_value) ?? "",
    currentValue: amountOf(resource.current_value) ?? "",
    recurring: resource.recurring ?? "",
    dateFired: resource.date_fired || null,
  };
}
