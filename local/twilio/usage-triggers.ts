import { Hono } from "hono";
import { invalidParameter, notFound, refuse } from "./errors.ts";
import { rfc2822 } from "./gmt.ts";
import { apiPath, isHttpUrl, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { longDecimal, type Micros, microsFrom, shortDecimal } from "./money.ts";
import { pageOf } from "./paging.ts";
import { newSid } from "./random.ts";
import { currentValue, type Watch } from "./recurrence.ts";
import { type Account, type CallbackMethod, RECURRING, TRIGGER_BY, type UsageTrigger, type World } from "./state.ts";

const MOST_TRIGGERS = 1000;
const LONGEST_NAME = 64;
const UPDATABLE = ["CallbackUrl", "CallbackMethod", "FriendlyName"];

/** https://www.twilio.com/docs/usage/api/usage-trigger */
export function usageTriggerRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/Usage/Triggers", (context) => list(world, context))
    .post("/Usage/Triggers", (context) => create(world, context))
    .get("/Usage/Triggers/:Sid", (context) => fetch(world, context))
    .post("/Usage/Triggers/:Sid", (context) => update(world, context))
    .delete("/Usage/Triggers/:Sid", (context) => remove(world, context));
}

function list(world: World, context: TwilioContext): Response {
  const query = queryIn(context);
  const account = context.get("account");
  const all = [...account.triggers.values()];
  const { items, frame } = pageOf({ path: apiPath(context.req.url), query }, all, wantedBy(query));
  const answers = items.map((trigger) => triggerAnswer(account, trigger, world.clock.now()));
  return context.json({ ...frame, usage_triggers: answers });
}

function wantedBy(query: URLSearchParams): (trigger: UsageTrigger) => boolean {
  const asks = (name: string, value: string) => query.get(name) === null || query.get(name) === value;
  // "An empty value or a value of `alltime` reads non-recurring UsageTriggers".
  const recurring = query.get("Recurring") === "alltime" ? "" : query.get("Recurring");
  return (trigger) =>
    asks("TriggerBy", trigger.triggerBy) &&
    asks("UsageCategory", trigger.usageCategory) &&
    (recurring === null || recurring === (trigger.recurring ?? ""));
}

function create(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const read = readNewTrigger(world, account, context.get("form"));
  if (read.kind === "invalid") return refuse(context, invalidParameter(read.why));
  account.triggers.set(read.trigger.sid, read.trigger);
  world.changed();
  return context.json(triggerAnswer(account, read.trigger, world.clock.now()), 201);
}

function fetch(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const trigger = account.triggers.get(context.req.param("Sid") ?? "");
  if (trigger === undefined) return refuse(context, notFound(apiPath(context.req.url)));
  return context.json(triggerAnswer(account, trigger, world.clock.now()));
}

function update(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const trigger = account.triggers.get(context.req.param("Sid") ?? "");
  if (trigger === undefined) return refuse(context, notFound(apiPath(context.req.url)));
  const form = context.get("form");
  const problem = problemWithUpdate(form);
  if (problem !== undefined) return refuse(context, invalidParameter(problem));
  applyUpdate(trigger, form, world.clock.now());
  world.changed();
  return context.json(triggerAnswer(account, trigger, world.clock.now()));
}

function remove(world: World, context: TwilioContext): Response {
  const found = context.get("account").triggers.delete(context.req.param("Sid") ?? "");
  if (!found) return refuse(context, notFound(apiPath(context.req.url)));
  world.changed();
  return context.body(null, 204);
}

type NewTrigger = { kind: "valid"; trigger: UsageTrigger } | { kind: "invalid"; why: string };

// Twilio documents the rules but no error codes of their own; 20001 is its code for any invalid parameter.
function readNewTrigger(world: World, account: Account, form: URLSearchParams): NewTrigger {
  const watch = readWatch(form);
  const why = problemWithCallback(form, true) ?? problemWithWatch(form) ?? problemWithCount(account);
  if (why !== undefined || watch === undefined) return { kind: "invalid", why: why ?? "Invalid parameters." };
  const triggerValue = readTriggerValue(
    form.get("TriggerValue") ?? "",
    currentValue(account, watch, world.clock.now()),
  );
  if (triggerValue === undefined) return { kind: "invalid", why: "TriggerValue must be a positive, numeric value." };
  return { kind: "valid", trigger: newTrigger(world, account, form, { ...watch, triggerValue }) };
}

function newTrigger(
  world: World,
  account: Account,
  form: URLSearchParams,
  watch: Watch & { triggerValue: Micros },
): UsageTrigger {
  const now = world.clock.now();
  return {
    sid: newSid(world.random, "UT", account.triggers),
    friendlyName:
      form.get("FriendlyName") ?? `Trigger for ${watch.usageCategory} at usage of ${shortDecimal(watch.triggerValue)}`,
    callbackUrl: form.get("CallbackUrl") ?? "",
    callbackMethod: callbackMethodIn(form),
    ...watch,
    dateCreated: now,
    dateUpdated: now,
    dateFired: null,
  };
}

function readWatch(form: URLSearchParams): Watch | undefined {
  const triggerBy = TRIGGER_BY.find((field) => field === (form.get("TriggerBy") ?? "usage"));
  const recurring = RECURRING.find((period) => period === form.get("Recurring"));
  const usageCategory = form.get("UsageCategory");
  if (triggerBy === undefined || !usageCategory) return undefined;
  return { triggerBy, usageCategory, recurring: recurring === "alltime" ? null : (recurring ?? null) };
}

function problemWithWatch(form: URLSearchParams): string | undefined {
  const recurring = form.get("Recurring") ?? "";
  if (!form.get("UsageCategory")) return "UsageCategory is required.";
  if (recurring !== "" && !RECURRING.some((period) => period === recurring)) return "Recurring is invalid.";
  if (!TRIGGER_BY.some((field) => field === (form.get("TriggerBy") ?? "usage"))) return "TriggerBy is invalid.";
  return undefined;
}

function problemWithCallback(form: URLSearchParams, required: boolean): string | undefined {
  const url = form.get("CallbackUrl");
  const method = form.get("CallbackMethod") ?? "POST";
  if (url === null ? required : !isHttpUrl(url)) return "CallbackUrl must be an http or https URL.";
  if (method !== "POST" && method !== "GET") return "CallbackMethod must be GET or POST.";
  if ((form.get("FriendlyName") ?? "").length > LONGEST_NAME) return "FriendlyName must be at most 64 characters.";
  return undefined;
}

function problemWithCount(account: Account): string | undefined {
  return account.triggers.size < MOST_TRIGGERS ? undefined : "An account can have at most 1,000 UsageTriggers.";
}

function problemWithUpdate(form: URLSearchParams): string | undefined {
  const fixed = [...form.keys()].find((name) => !UPDATABLE.includes(name));
  if (fixed !== undefined) return `${fixed} cannot be updated: delete this UsageTrigger and create another.`;
  return problemWithCallback(form, false);
}

function applyUpdate(trigger: UsageTrigger, form: URLSearchParams, now: Date): void {
  trigger.callbackUrl = form.get("CallbackUrl") ?? trigger.callbackUrl;
  trigger.friendlyName = form.get("FriendlyName") ?? trigger.friendlyName;
  if (form.has("CallbackMethod")) trigger.callbackMethod = callbackMethodIn(form);
  trigger.dateUpdated = now;
}

/** `+30` is "30 units more than the current usage value". */
function readTriggerValue(text: string, current: Micros): Micros | undefined {
  const offset = text.startsWith("+");
  const value = microsFrom(offset ? text.slice(1) : text);
  if (value === undefined || value <= 0) return undefined;
  return offset ? current + value : value;
}

const callbackMethodIn = (form: URLSearchParams): CallbackMethod =>
  form.get("CallbackMethod") === "GET" ? "GET" : "POST";

export const usageRecordUri = (account: Account, category: string): string =>
  `/2010-04-01/Accounts/${account.sid}/Usage/Records.json?Category=${category}`;

function triggerAnswer(account: Account, trigger: UsageTrigger, now: Date) {
  return {
    sid: trigger.sid,
    account_sid: account.sid,
    api_version: "2010-04-01",
    friendly_name: trigger.friendlyName,
    callback_url: trigger.callbackUrl,
    callback_method: trigger.callbackMethod,
    usage_category: trigger.usageCategory,
    usage_record_uri: usageRecordUri(account, trigger.usageCategory),
    trigger_by: trigger.triggerBy,
    trigger_value: longDecimal(trigger.triggerValue),
    current_value: shortDecimal(currentValue(account, trigger, now)),
    recurring: trigger.recurring,
    date_created: rfc2822(trigger.dateCreated),
    date_updated: rfc2822(trigger.dateUpdated),
    date_fired: trigger.dateFired === null ? null : rfc2822(trigger.dateFired),
    uri: `/2010-04-01/Accounts/${account.sid}/Usage/Triggers/${trigger.sid}.json`,
  };
}
