import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { messageOf, TollbreakerError } from "../../lib/errors.ts";
import { type Belongings, belongingsOf } from "./belongings.ts";
import {
  ACCOUNT_STATUSES,
  type Account,
  KEY_TYPES,
  NUMBER_METHODS,
  NUMBER_SIDS,
  NUMBER_URLS,
  PARENT_FORMS,
  SIGNERS,
  TRIGGER_BY,
  type World,
} from "./state.ts";
import { newAccount } from "./world.ts";

const date = z.pipe(
  z.iso.datetime(),
  z.transform((text) => new Date(text)),
);
const Usage = z.object({ count: z.number(), usage: z.number(), price: z.number() });
const Trigger = z.object({
  sid: z.string(),
  friendlyName: z.string(),
  callbackUrl: z.string(),
  callbackMethod: z.enum(["GET", "POST"]),
  usageCategory: z.string(),
  triggerBy: z.enum(TRIGGER_BY),
  triggerValue: z.number(),
  recurring: z.nullable(z.enum(["daily", "monthly", "yearly"])),
  dateCreated: date,
  dateUpdated: date,
  dateFired: z.nullable(date),
});
const DebuggerWebhook = z.object({
  url: z.string(),
  signedBy: z.enum(SIGNERS),
  parentAccountSid: z.enum(PARENT_FORMS),
  subaccounts: z.boolean(),
});
const described = { sid: z.string(), description: z.string(), dateCreated: date, dateUpdated: date };
const Sink = z.object({ ...described, destination: z.string(), batchEvents: z.boolean() });
const Subscription = z.object({
  ...described,
  sinkSid: z.string(),
  types: z.array(z.object({ type: z.string(), schemaVersion: z.number() })),
  fromSubaccounts: z.boolean(),
});
const dated = { sid: z.string(), friendlyName: z.string(), dateCreated: date, dateUpdated: date };
const Key = z.object({ ...dated, type: z.enum(KEY_TYPES), secret: z.string() });
const PhoneNumber = z.object({
  ...dated,
  phoneNumber: z.string(),
  routing: z.record(z.enum([...NUMBER_URLS, ...NUMBER_METHODS, ...NUMBER_SIDS]), z.string()),
});
const Permissions = z.object({ lowRisk: z.boolean(), highRiskSpecial: z.boolean(), highRiskTollfraud: z.boolean() });
const Dialing = z.object({ inherits: z.boolean(), own: z.record(z.string(), Permissions) });
const SavedAccount = z.object({
  sid: z.string(),
  ownerAccountSid: z.string(),
  authToken: z.string(),
  friendlyName: z.string(),
  status: z.enum(ACCOUNT_STATUSES),
  type: z.enum(["Trial", "Full"]),
  currency: z.string(),
  dateCreated: date,
  dateUpdated: date,
  suspendedByTwilio: z.boolean(),
  triggers: z.array(Trigger),
  // Left out by earlier versions.
  debuggerWebhook: z._default(z.nullable(DebuggerWebhook), null),
  sinks: z._default(z.array(Sink), []),
  subscriptions: z._default(z.array(Subscription), []),
  secondaryAuthToken: z._default(z.nullable(z.object({ token: z.string(), dateCreated: date })), null),
  dialing: z._default(Dialing, { inherits: true, own: {} }),
  // Left out by earlier versions too, whose accounts are given what new ones have.
  keys: z.optional(z.array(Key)),
  phoneNumbers: z.optional(z.array(PhoneNumber)),
  /** By GMT day, then by category: without it a `+30` trigger of yesterday would watch for too much. */
  ledger: z.record(z.string(), z.record(z.string(), Usage)),
});
const SavedWorld = z.object({ version: z.literal(1), accounts: z.array(SavedAccount) });

/**
 * The accounts that an earlier run wrote, with their credentials, triggers, numbers, permissions and usage; undefined
 * where there is no file.
 * Calls and messages are not kept.
 * @throws TollbreakerError `simulator-data-unreadable` when the file is there and cannot be understood.
 */
export function readAccounts(world: World, path: string): Account[] | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { accounts } = z.parse(SavedWorld, JSON.parse(text));
    return accounts.map((saved) => accountFrom(world, saved));
  } catch (cause) {
    throw new TollbreakerError("simulator-data-unreadable", "The simulator's data file cannot be read.", {
      expected: "a file that the simulator wrote",
      got: messageOf(cause),
      fix: `delete ${path} to begin with new accounts`,
      cause,
    });
  }
}

/** Writes beside the file and renames: a reader finds the old or the new content, never half of one. */
export function writeAccounts(world: World, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const accounts = [...world.accounts.values()].map(savedFrom);
  writeFileSync(`${path}.new`, JSON.stringify({ version: 1, accounts }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  }
}

function savedFrom({ calls: _calls, messages: _messages, refused: _refused, ...account }: Account) {
  const days = [...account.ledger].map(([day, categories]) => [day, Object.fromEntries(categories)]);
  return {
    ...account,
    triggers: [...account.triggers.values()],
    sinks: [...account.sinks.values()],
    subscriptions: [...account.subscriptions.values()],
    keys: [...account.keys.values()],
    phoneNumbers: [...account.phoneNumbers.values()],
    dialing: { ...account.dialing, own: Object.fromEntries(account.dialing.own) },
    ledger: Object.fromEntries(days),
  };
}

type Saved = z.output<typeof SavedAccount>;

function accountFrom(world: World, saved: Saved): Account {
  const { triggers, sinks, subscriptions, ledger, dialing, keys: _keys, phoneNumbers: _numbers, ...account } = saved;
  const blank = newAccount({ ...account, random: world.random, opened: account.dateCreated });
  const belongings = belongingsIn(saved, world.clock.now());
  return {
    ...blank,
    ...account,
    triggers: bySid(triggers),
    sinks: bySid(sinks),
    subscriptions: bySid(subscriptions),
    keys: bySid(belongings.keys),
    phoneNumbers: bySid(belongings.phoneNumbers),
    dialing: { ...dialing, own: new Map(Object.entries(dialing.own)) },
    ledger: new Map(Object.entries(ledger).map(([day, used]) => [day, new Map(Object.entries(used))])),
  };
}

function belongingsIn(saved: Saved, now: Date): Belongings {
  const isParent = saved.sid === saved.ownerAccountSid;
  const atFirst = isParent ? { keys: [], phoneNumbers: [] } : belongingsOf(saved, saved.dateCreated, now);
  return { keys: saved.keys ?? atFirst.keys, phoneNumbers: saved.phoneNumbers ?? atFirst.phoneNumbers };
}

const bySid = <T extends { sid: string }>(items: readonly T[]): Map<string, T> =>
  new Map(items.map((item) => [item.sid, item]));
