import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import type { TwilioFailure } from "./failures.ts";
import { pages } from "./paging.ts";
import { accountPath } from "./paths.ts";
import { PHONE_NUMBER_SID } from "./sids.ts";

/** What a phone number does with calls and messages, by the names of its resource; empty where nothing is set. */
export type Routing = Readonly<Record<RoutingName, string>>;
type RoutingName = (typeof ROUTING)[number];

/** https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource */
const ROUTING = [
  "voice_url",
  "voice_method",
  "voice_fallback_url",
  "voice_fallback_method",
  "voice_application_sid",
  "trunk_sid",
  "status_callback",
  "status_callback_method",
  "sms_url",
  "sms_method",
  "sms_fallback_url",
  "sms_fallback_method",
  "sms_application_sid",
] as const;

/** Who is told of its calls and messages; the methods alone tell nobody. */
const DESTINATIONS = ROUTING.filter((name) => !name.endsWith("_method"));

export interface PhoneNumber {
  sid: string;
  routing: Routing;
}

const text = z.nullish(z.string());
const NumberResource = z.object({
  sid: z.string().check(z.regex(PHONE_NUMBER_SID)),
  voice_url: text,
  voice_method: text,
  voice_fallback_url: text,
  voice_fallback_method: text,
  voice_application_sid: text,
  trunk_sid: text,
  status_callback: text,
  status_callback_method: text,
  sms_url: text,
  sms_method: text,
  sms_fallback_url: text,
  sms_fallback_method: text,
  sms_application_sid: text,
});
const NumberPage = z.object({
  incoming_phone_numbers: z.array(NumberResource),
  next_page_uri: z.nullish(z.string()),
});

export async function listPhoneNumbers(
  twilio: TwilioClient,
  accountSid: string,
  timeoutMs: number,
): Promise<Answer<PhoneNumber[]>> {
  return pages(twilio, {
    path: `${accountPath(accountSid, "IncomingPhoneNumbers")}?PageSize=1000`,
    answer: NumberPage,
    items: (page) => page.incoming_phone_numbers.map(phoneNumberOf),
    timeoutMs,
  });
}

/** One number, itself: lists may lag. `not-found` once the account has it no more. */
export async function fetchPhoneNumber(
  twilio: TwilioClient,
  accountSid: string,
  sid: string,
  timeoutMs: number,
): Promise<Answer<PhoneNumber>> {
  const path = accountPath(accountSid, "IncomingPhoneNumbers", sid);
  const answer = await twilio.send({ path, answer: NumberResource, timeoutMs });
  return answer.kind === "ok" ? { kind: "ok", body: phoneNumberOf(answer.body) } : answer;
}

/**
 * Sets what `routing` names and leaves the rest; an empty text takes away. Repeatable. Twilio knows a number's trunk and
 * its application for calls as one or the other ("setting a trunk_sid will automatically delete your
 * voice_application_sid and vice versa"): where one is set, the other is left to Twilio.
 * @returns the number as Twilio shows it after the update; a refusal without Twilio's words.
 */
export async function updateRouting(
  twilio: TwilioClient,
  accountSid: string,
  sid: string,
  routing: Partial<Routing>,
  timeoutMs: number,
): Promise<Answer<PhoneNumber>> {
  const path = accountPath(accountSid, "IncomingPhoneNumbers", sid);
  const answer = await twilio.send({ path, form: formOf(routing), answer: NumberResource, timeoutMs });
  return answer.kind === "ok" ? { kind: "ok", body: phoneNumberOf(answer.body) } : withoutQuotes(answer.failure);
}

/** Twilio's words may quote the address that it refuses, and that may hold a password. The code tells enough. */
function withoutQuotes(failure: TwilioFailure): Extract<Answer<never>, { kind: "failed" }> {
  const isOurs = failure.status === null;
  return { kind: "failed", failure: isOurs ? failure : { ...failure, message: "it was refused" } };
}

export function isRouted({ routing }: PhoneNumber): boolean {
  return DESTINATIONS.some((name) => routing[name] !== "");
}

export function isRoutedAs({ routing }: PhoneNumber, other: Routing): boolean {
  return DESTINATIONS.every((name) => routing[name] === other[name]);
}

/** Where calls and messages go, for people: of an address its host alone, because the rest may hold a password. */
export function destinations(routing: Routing): string {
  const set = DESTINATIONS.filter((name) => routing[name] !== "");
  return set
    .map((name) => `${name.replace(/_(url|sid)$/, "").replaceAll("_", " ")}: ${hostOf(routing[name])}`)
    .join("; ");
}

/** A SID stays as it is. */
function hostOf(destination: string): string {
  if (/^[A-Z]{2}[0-9a-f]{32}$/.test(destination)) return destination;
  return URL.canParse(destination) ? new URL(destination).host : "an address that cannot be read";
}

/** Nothing is called any more. The methods stay: an empty one is none that Twilio knows. */
export const UNROUTED: Partial<Routing> = Object.fromEntries(DESTINATIONS.map((name) => [name, ""]));

/** @param fields by the names of the resource; whatever else is in there is left out. */
export function readRouting(fields: Readonly<Record<string, string | null | undefined>>): Routing {
  const read = (name: RoutingName) => fields[name] ?? "";
  return {
    voice_url: read("voice_url"),
    voice_method: read("voice_method"),
    voice_fallback_url: read("voice_fallback_url"),
    voice_fallback_method: read("voice_fallback_method"),
    voice_application_sid: read("voice_application_sid"),
    trunk_sid: read("trunk_sid"),
    status_callback: read("status_callback"),
    status_callback_method: read("status_callback_method"),
    sms_url: read("sms_url"),
    sms_method: read("sms_method"),
    sms_fallback_url: read("sms_fallback_url"),
    sms_fallback_method: read("sms_fallback_method"),
    sms_application_sid: read("sms_application_sid"),
  };
}

function phoneNumberOf({ sid, ...fields }: z.infer<typeof NumberResource>): PhoneNumber {
  return { sid, routing: readRouting(fields) };
}

function formOf(routing: Partial<Routing>): Record<string, string> {
  const sent = ROUTING.flatMap((name) => {
    const value = routing[name];
    return value === undefined || (value === "" && isLeftOut(name, routing)) ? [] : [[parameterOf(name), value]];
  });
  return Object.fromEntries(sent);
}

function isLeftOut(name: RoutingName, { trunk_sid = "", voice_application_sid = "" }: Partial<Routing>): boolean {
  // A method that was not set can't be set to nothing: Twilio knows GET and POST.
  if (name.endsWith("_method")) return true;
  if (name === "trunk_sid") return voice_application_sid !== "";
  return name === "voice_application_sid" && trunk_sid !== "";
}

/** `voice_fallback_url` is the parameter `VoiceFallbackUrl`. */
function parameterOf(name: RoutingName): string {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
