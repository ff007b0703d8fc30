import * as z from "zod/mini";
import { addKey } from "./api-keys.ts";
import { ALL_COUNTRIES } from "./countries.ts";
import { inherits, permissionsOf } from "./dialing.ts";
import {
  type Account,
  type ApiKey,
  type CountryPermissions,
  KEY_TYPES,
  type PhoneNumber,
  type World,
} from "./state.ts";

/** An API key to put on an account; all may be left out. */
export const KeyOrder = z.object({
  friendlyName: z._default(z.string(), "left by an intruder"),
  /** A main key, which Twilio makes in its Console only; a restricted one. */
  type: z._default(z.enum(KEY_TYPES), "standard"),
  /** ISO 8601 UTC; now when left out. */
  dateCreated: z.optional(z.iso.datetime()),
});

/** Where an account may call, now and by ISO code. */
interface DialingSummary {
  inherits: boolean;
  countries: Record<string, CountryPermissions>;
}

/** What an account has, and what an intruder could add to it. */
export interface AccountControls {
  /** In the order of their creation, with their secrets. */
  keys(accountSid: string): ApiKey[];
  /** Adds a key behind the owner's back, as whoever has stolen the auth token would. */
  stealKey(accountSid: string, key?: z.input<typeof KeyOrder>): ApiKey;
  phoneNumbers(accountSid: string): PhoneNumber[];
  dialingPermissions(accountSid: string): DialingSummary;
}

export function accountControls(world: World, account: (sid: string) => Account): AccountControls {
  return {
    keys: (sid) => [...account(sid).keys.values()].map((key) => ({ ...key })),
    stealKey: (sid, order = {}) => {
      const { dateCreated, ...key } = z.parse(KeyOrder, order);
      return { ...addKey(world, account(sid), { ...key, ...(dateCreated && { dateCreated: new Date(dateCreated) }) }) };
    },
    phoneNumbers: (sid) => [...account(sid).phoneNumbers.values()].map((number) => ({ ...number })),
    dialingPermissions: (sid) => dialingSummary(world, account(sid)),
  };
}

function dialingSummary(world: World, account: Account): DialingSummary {
  const countries = ALL_COUNTRIES.map((country) => [country.isoCode, permissionsOf(world, account, country)]);
  return { inherits: inherits(world, account), countries: Object.fromEntries(countries) };
}
