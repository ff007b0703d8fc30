import { Hono } from "hono";
import * as z from "zod/mini";
import { ALL_COUNTRIES, type Country, countryOf } from "./countries.ts";
import { inherits, ownPermissions, permissionsOf } from "./dialing.ts";
import { invalidParameter, notFound, refuse } from "./errors.ts";
import { apiBase, apiPath, queryIn, type TwilioContext, type TwilioEnv } from "./http.ts";
import { metaPage } from "./meta-page.ts";
import type { CountryPermissions, World } from "./state.ts";

/** Of the account whose credentials are used: https://www.twilio.com/docs/voice/api/dialing-permissions-resources */
export function dialingPermissionRoutes(world: World): Hono<TwilioEnv> {
  return new Hono<TwilioEnv>()
    .get("/DialingPermissions/Countries", (context) => list(world, context))
    .get("/DialingPermissions/Countries/:IsoCode", (context) => fetch(world, context))
    .post("/DialingPermissions/BulkCountryUpdates", (context) => updateCountries(world, context))
    .get("/Settings", (context) => context.json(settingsAnswer(world, context)))
    .post("/Settings", (context) => updateSettings(world, context));
}

function list(world: World, context: TwilioContext): Response {
  const all = ALL_COUNTRIES.map((country) => ({ ...countryAnswer(world, context, country), sid: country.isoCode }));
  const { items, meta } = metaPage(context, "content", all, wantedBy(queryIn(context)));
  return context.json({ content: items.map(({ sid: _sid, ...answer }) => answer), meta });
}

type CountryAnswer = ReturnType<typeof countryAnswer>;

function wantedBy(query: URLSearchParams): (country: CountryAnswer) => boolean {
  const asks = (name: string, value: unknown) => query.get(name) === null || query.get(name) === String(value);
  const code = query.get("CountryCode")?.replace(/^\+?/, "+");
  return (country) =>
    asks("IsoCode", country.iso_code) &&
    asks("Continent", country.continent) &&
    (code === undefined || country.country_codes.includes(code)) &&
    asks("LowRiskNumbersEnabled", country.low_risk_numbers_enabled) &&
    asks("HighRiskSpecialNumbersEnabled", country.high_risk_special_numbers_enabled) &&
    asks("HighRiskTollfraudNumbersEnabled", country.high_risk_tollfraud_numbers_enabled);
}

function fetch(world: World, context: TwilioContext): Response {
  const country = countryOf(context.req.param("IsoCode") ?? "");
  if (country === undefined) return refuse(context, notFound(apiPath(context.req.url)));
  return context.json(countryAnswer(world, context, country));
}

function countryAnswer(world: World, context: TwilioContext, country: Country) {
  const { lowRisk, highRiskSpecial, highRiskTollfraud } = permissionsOf(world, context.get("account"), country);
  const url = `${apiBase(context.req.url)}/v1/DialingPermissions/Countries/${country.isoCode}`;
  return {
    iso_code: country.isoCode,
    name: country.name,
    continent: country.continent,
    country_codes: country.countryCodes,
    low_risk_numbers_enabled: lowRisk,
    high_risk_special_numbers_enabled: highRiskSpecial,
    high_risk_tollfraud_numbers_enabled: highRiskTollfraud,
    url,
    links: { highrisk_special_prefixes: `${url}/HighRiskSpecialPrefixes` },
  };
}

// Twilio's example has the booleans as text.
const flag = z.optional(
  z.union([
    z.boolean(),
    z.pipe(
      z.enum(["true", "false"]),
      z.transform((text) => text === "true"),
    ),
  ]),
);
const CountryUpdates = z.array(
  z.object({
    iso_code: z.enum(ALL_COUNTRIES.map(({ isoCode }) => isoCode)),
    low_risk_numbers_enabled: flag,
    high_risk_special_numbers_enabled: flag,
    high_risk_tollfraud_numbers_enabled: flag,
  }),
);
type CountryUpdate = z.output<typeof CountryUpdates>[number];

// How Twilio refuses a list that it cannot read is not documented. Here nothing of it is done.
function updateCountries(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  const updates = readUpdates(context.get("form").get("UpdateRequest"));
  if (updates === undefined) return refuse(context, invalidParameter("UpdateRequest is invalid."));
  const own = new Map(account.dialing.own);
  for (const update of updates) own.set(update.iso_code, merged(ownPermissions({ own }, update.iso_code), update));
  account.dialing = { ...account.dialing, own };
  world.changed();
  return context.json({ update_count: updates.length, update_request: "accepted" }, 201);
}

function readUpdates(text: string | null): CountryUpdate[] | undefined {
  try {
    return z.parse(CountryUpdates, JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

/** What is left out of an update stays as it is. */
function merged(before: CountryPermissions, update: CountryUpdate): CountryPermissions {
  return {
    lowRisk: update.low_risk_numbers_enabled ?? before.lowRisk,
    highRiskSpecial: update.high_risk_special_numbers_enabled ?? before.highRiskSpecial,
    highRiskTollfraud: update.high_risk_tollfraud_numbers_enabled ?? before.highRiskTollfraud,
  };
}

function updateSettings(world: World, context: TwilioContext): Response {
  const account = context.get("account");
  // Twilio's walk-through writes `False`.
  const asked = context.get("form").get("DialingPermissionsInheritance")?.toLowerCase();
  if (asked !== undefined && asked !== "true" && asked !== "false") {
    return refuse(context, invalidParameter("DialingPermissionsInheritance must be true or false."));
  }
  if (asked !== undefined) account.dialing = { ...account.dialing, inherits: asked === "true" };
  world.changed();
  return context.json(settingsAnswer(world, context), 202);
}

function settingsAnswer(world: World, context: TwilioContext) {
  const url = `${apiBase(context.req.url)}/v1/Settings`;
  return { dialing_permissions_inheritance: inherits(world, context.get("account")), url };
}
