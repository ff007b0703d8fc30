import { ALL_COUNTRIES, type Country, permissionsAtFirst } from "./countries.ts";
import { type Account, type CountryPermissions, type DialingPermissions, parentOf, type World } from "./state.ts";

/**
 * Whether the account goes by its parent's permissions. What it changes of its own meanwhile takes effect when it stops
 * inheriting: inferred from Twilio's own walk-through, which changes the countries first and the inheritance second.
 * https://www.twilio.com/blog/blog-voice-dialing-geo-permissions-rest-api
 */
export const inherits = (world: World, { sid, dialing }: Account): boolean =>
  sid !== world.parentSid && dialing.inherits;

/** What the account may call in a country now. */
export function permissionsOf(world: World, account: Account, { isoCode }: Country): CountryPermissions {
  const holder = inherits(world, account) ? parentOf(world) : account;
  return ownPermissions(holder.dialing, isoCode);
}

export const ownPermissions = ({ own }: Pick<DialingPermissions, "own">, isoCode: string) =>
  own.get(isoCode) ?? permissionsAtFirst(isoCode);

/**
 * Whether the country of an E.164 number may be called. Of a country that is open in part every number may: the
 * simulator does not know which are the risky ones, nor any country beyond its list.
 */
export function mayCall(world: World, account: Account, number: string): boolean {
  const country = countryCalled(number);
  return country === undefined || Object.values(permissionsOf(world, account, country)).includes(true);
}

// The longest code counts: +1876 is Jamaica and no part of +1.
const LONGEST_CODE_FIRST = ALL_COUNTRIES.flatMap((country) =>
  country.countryCodes.map((code) => ({ code, country })),
).toSorted((one, other) => other.code.length - one.code.length);

const countryCalled = (number: string): Country | undefined =>
  LONGEST_CODE_FIRST.find(({ code }) => number.startsWith(code))?.country;
