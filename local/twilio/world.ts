import type { Clock } from "../../lib/clock.ts";
import { TollbreakerError } from "../../lib/errors.ts";
import { isAccountSid } from "../../lib/twilio/sids.ts";
import { type Belongings, belongingsOf } from "./belongings.ts";
import { ErrorFeed } from "./error-events.ts";
import { daysBefore } from "./gmt.ts";
import { customerName } from "./names.ts";
import { newSid, type Random, randomFrom } from "./random.ts";
import { Ring } from "./ring.ts";
import type { Account, World } from "./state.ts";

const RECENT_MESSAGES = 500;

/** A subaccount to begin with; what is left out is made up. */
export interface SubaccountSeed {
  accountSid?: string;
  authToken?: string;
  friendlyName?: string;
  /** ISO 4217, any case; USD when left out. */
  currency?: string;
}

export interface WorldSeed {
  clock: Clock;
  /** The same seed makes the same accounts; without one they differ each time. */
  seed?: string | undefined;
  parent?: { accountSid: string; authToken: string } | undefined;
  subaccounts: number | readonly SubaccountSeed[];
  changed: () => void;
}

export function createWorld({ clock, seed, parent, subaccounts, changed }: WorldSeed): World {
  const random = randomFrom(seed);
  const sid = parent?.accountSid ?? `AC${random.hex()}`;
  const opened = daysBefore(clock.now(), 1_000);
  const first = newAccount({ sid, ownerAccountSid: sid, friendlyName: "Acme Messaging", random, opened });
  if (parent !== undefined) first.authToken = parent.authToken;
  const accounts = new Map([[sid, first]]);
  const world: World = { clock, random, accounts, parentSid: sid, errors: new ErrorFeed(), changed };
  for (const one of seedsOf(subaccounts)) addCustomer(world, one);
  return world;
}

/**
 * A subaccount that a customer has used for some months, with API keys and phone numbers.
 * @throws TollbreakerError `simulator-account-invalid` for a SID that is malformed or taken.
 */
export function addCustomer(world: World, seed: SubaccountSeed): Account {
  const now = world.clock.now();
  const account = addSubaccount(world, seed, daysBefore(now, 100 + (world.accounts.size % 300)));
  give(account, belongingsOf(account, account.dateCreated, now));
  return account;
}

function give(account: Account, { keys, phoneNumbers }: Belongings): void {
  for (const key of keys) account.keys.set(key.sid, key);
  for (const number of phoneNumbers) account.phoneNumbers.set(number.sid, number);
}

/**
 * A subaccount as Twilio's API makes one: empty.
 * @throws TollbreakerError `simulator-account-invalid` for a SID that is malformed or taken.
 */
export function addSubaccount(
  world: World,
  { accountSid, authToken, friendlyName, currency }: SubaccountSeed,
  opened: Date = world.clock.now(),
): Account {
  const sid = accountSid ?? newSid(world.random, "AC", world.accounts);
  refuseBadSid(world, sid);
  const account = newAccount({
    sid,
    ownerAccountSid: world.parentSid,
    friendlyName: friendlyName ?? customerName(world.accounts.size - 1),
    random: world.random,
    opened,
  });
  if (authToken !== undefined) account.authToken = authToken;
  if (currency !== undefined) account.currency = currency.toLowerCase();
  world.accounts.set(sid, account);
  world.changed();
  return account;
}

interface NewAccount {
  sid: string;
  ownerAccountSid: string;
  friendlyName: string;
  random: Random;
  opened: Date;
}

export function newAccount({ sid, ownerAccountSid, friendlyName, random, opened }: NewAccount): Account {
  return {
    sid,
    ownerAccountSid,
    friendlyName,
    authToken: random.hex(),
    status: "active",
    type: "Full",
    currency: "usd",
    dateCreated: opened,
    dateUpdated: opened,
    suspendedByTwilio: false,
    ledger: new Map(),
    triggers: new Map(),
    calls: new Map(),
    messages: new Ring(RECENT_MESSAGES),
    debuggerWebhook: null,
    sinks: new Map(),
    subscriptions: new Map(),
    keys: new Map(),
    phoneNumbers: new Map(),
    secondaryAuthToken: null,
    dialing: { inherits: true, own: new Map() },
    refused: { messages: 0, calls: 0 },
  };
}

function refuseBadSid(world: World, sid: string): void {
  if (isAccountSid(sid) && !world.accounts.has(sid)) return;
  throw new TollbreakerError("simulator-account-invalid", "The simulator cannot add this subaccount.", {
    expected: "an account SID that is not taken: AC and 32 hexadecimal digits",
    got: sid,
    fix: "leave accountSid out to have one made up",
  });
}

const seedsOf = (subaccounts: number | readonly SubaccountSeed[]): readonly SubaccountSeed[] =>
  typeof subaccounts === "number" ? Array.from({ length: subaccounts }, () => ({})) : subaccounts;
