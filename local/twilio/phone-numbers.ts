import { Hono } from "hono";
import { invalidParameter, invalidUrl, notFound, type Refusal, refuse } from "./errors.ts";
import { rfc2822 } from "./gmt.ts";
import { apiPath, isHttpUrl, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { pageOf } from "./paging.ts";
import {
  type Account,
  NUMBER_METHODS,
  NUMBER_SIDS,
  NUMBER_URLS,
  type NumberRouting,
  type NumberSetting,
  type PhoneNumber,
  type World,
} from "./state.ts";

const LONGEST_NAME = 64;

/** https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource; numbers are neither bought nor released. */
export function phoneNumberRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/IncomingPhoneNumbers", list)
    .get("/IncomingPhoneNumbers/:Sid", found(fetch))
    .post(
      "/IncomingPhoneNumbers/:Sid",
      found((context, number) => update(world, context, number)),
    );
}

type WithNumber = (context: TwilioContext, number: PhoneNumber) => Response;

const found = (act: WithNumber) => (context: TwilioContext) => {
  const number = context.get("account").phoneNumbers.get(context.req.param("Sid") ?? "");
  return number === undefined ? refuse(context, notFound(apiPath(context.req.url))) : act(context, number);
};

function list(context: TwilioContext): Response {
  const query = queryIn(context);
  const account = context.get("account");
  const all = [...account.phoneNumbers.values()];
  const { items, frame } = pageOf({ path: apiPath(context.req.url), query }, all, wantedBy(query));
  return context.json({ ...frame, incoming_phone_numbers: items.map((number) => numberAnswer(account, number)) });
}

function wantedBy(query: URLSearchParams): (number: PhoneNumber) => boolean {
  const name = query.get("FriendlyName");
  const asked = digitsAsked(query.get("PhoneNumber") ?? "");
  return ({ friendlyName, phoneNumber }) =>
    (name === null || name === friendlyName) && asked.test(phoneNumber) && query.get("Beta") !== "true";
}

// "You can specify partial numbers and use '*' as a wildcard for any digit."
const digitsAsked = (text: string): RegExp => new RegExp(text.replaceAll(/[^\d*]/g, "").replaceAll("*", "\\d"));

const fetch: WithNumber = (context, number) => context.json(numberAnswer(context.get("account"), number));

function update(world: World, context: TwilioContext, number: PhoneNumber): Response {
  const form = context.get("form");
  const refusal = refusalOf(form);
  if (refusal !== undefined) return refuse(context, refusal);
  number.friendlyName = form.get("FriendlyName") ?? number.friendlyName;
  number.routing = routingWith(number.routing, form);
  number.dateUpdated = world.clock.now();
  world.changed();
  return context.json(numberAnswer(context.get("account"), number));
}

const SETTINGS = [...NUMBER_URLS, ...NUMBER_METHODS, ...NUMBER_SIDS];

/** `voice_url` as the parameter `VoiceUrl`. */
const parameterOf = (setting: NumberSetting): string =>
  setting.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

const KNOWN = new Set(["FriendlyName", ...SETTINGS.map(parameterOf)]);
const SIDS: Record<(typeof NUMBER_SIDS)[number], RegExp> = {
  voice_application_sid: /^AP[0-9a-fA-F]{32}$/,
  sms_application_sid: /^AP[0-9a-fA-F]{32}$/,
  trunk_sid: /^TK[0-9a-fA-F]{32}$/,
};

// An empty URL or SID takes the setting away; an empty method is none that Twilio knows.
function refusalOf(form: URLSearchParams): Refusal | undefined {
  const value = (setting: NumberSetting) => form.get(parameterOf(setting)) ?? "";
  const url = NUMBER_URLS.find((one) => value(one) !== "" && !isHttpUrl(value(one)));
  const method = NUMBER_METHODS.find((one) => form.has(parameterOf(one)) && !/^(GET|POST)$/.test(value(one)));
  const sid = NUMBER_SIDS.find((one) => value(one) !== "" && !SIDS[one].test(value(one)));
  if (url !== undefined) return invalidUrl(parameterOf(url));
  if (method !== undefined) return invalidParameter(`${parameterOf(method)} must be GET or POST.`);
  if (sid !== undefined) return invalidParameter(`${parameterOf(sid)} is no SID of the right kind.`);
  return otherRefusalOf(form);
}

function otherRefusalOf(form: URLSearchParams): Refusal | undefined {
  const unknown = [...form.keys()].find((name) => !KNOWN.has(name));
  if (unknown !== undefined) return invalidParameter(`The simulated numbers have no ${unknown}.`);
  const long = (form.get("FriendlyName") ?? "").length > LONGEST_NAME;
  return long ? invalidParameter("FriendlyName must be at most 64 characters.") : undefined;
}

function routingWith(routing: NumberRouting, form: URLSearchParams): NumberRouting {
  const sent = SETTINGS.flatMap((setting) => {
    const value = form.get(parameterOf(setting));
    return value === null ? [] : [[setting, value] as const];
  });
  const changes: Partial<NumberRouting> = Object.fromEntries(sent);
  return { ...routing, ...takenAwayBy(changes), ...changes };
}

/** "Setting a `trunk_sid` will automatically delete your `voice_application_sid` and vice versa." */
function takenAwayBy(changes: Partial<NumberRouting>): Partial<NumberRouting> {
  if (changes.trunk_sid) return { voice_application_sid: "" };
  return changes.voice_application_sid ? { trunk_sid: "" } : {};
}

function numberAnswer(account: Account, { sid, phoneNumber, friendlyName, routing, ...number }: PhoneNumber) {
  return {
    sid,
    account_sid: account.sid,
    phone_number: phoneNumber,
    friendly_name: friendlyName,
    ...routing,
    // In Twilio's own example what is not set is empty, but the trunk null.
    trunk_sid: routing.trunk_sid || null,
    date_created: rfc2822(number.dateCreated),
    date_updated: rfc2822(number.dateUpdated),
    uri: `/2010-04-01/Accounts/${account.sid}/IncomingPhoneNumbers/${sid}.json`,
    ...ALIKE,
  };
}

/** What is the same for every simulated number. */
const ALIKE = {
  api_version: "2010-04-01",
  capabilities: { voice: true, sms: true, mms: true, fax: false },
  voice_receive_mode: "voice",
  voice_caller_id_lookup: false,
  origin: "twilio",
  beta: false,
  status: "in-use",
  address_requirements: "none",
  address_sid: null,
  identity_sid: null,
  bundle_sid: null,
  emergency_status: "Active",
  emergency_address_sid: null,
  emergency_address_status: "unregistered",
};
