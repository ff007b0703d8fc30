import type { Account, World } from "./state.ts";

/** Remembers what requests can change; the returned function puts it back. */
export function snapshot(world: World): () => void {
  const accounts = [...world.accounts.values()];
  const known = new Set(world.accounts.keys());
  const undos = accounts.map(snapshotOfAccount);
  return () => {
    for (const sid of world.accounts.keys()) if (!known.has(sid)) world.accounts.delete(sid);
    for (const undo of undos) undo();
  };
}

function snapshotOfAccount(account: Account): () => void {
  const { status, friendlyName, dateUpdated, authToken, secondaryAuthToken, dialing } = account;
  const triggers = [...account.triggers.values()].map((trigger) => ({ trigger, before: { ...trigger } }));
  const sinks = copyOf(account.sinks);
  const subscriptions = copyOf(account.subscriptions);
  const keys = copyOf(account.keys);
  const phoneNumbers = copyOf(account.phoneNumbers);
  const calls = [...account.calls.values()].map((call) => ({ call, before: { ...call } }));
  return () => {
    Object.assign(account, { status, friendlyName, dateUpdated, authToken, secondaryAuthToken, dialing });
    account.triggers.clear();
    for (const { trigger, before } of triggers) account.triggers.set(before.sid, Object.assign(trigger, before));
    for (const { call, before } of calls) Object.assign(call, before);
    restore(account.sinks, sinks);
    restore(account.subscriptions, subscriptions);
    restore(account.keys, keys);
    restore(account.phoneNumbers, phoneNumbers);
  };
}

const copyOf = <T extends object>(kept: ReadonlyMap<string, T>): [string, T][] =>
  [...kept].map(([sid, item]) => [sid, { ...item }]);

function restore<T>(kept: Map<string, T>, before: readonly [string, T][]): void {
  kept.clear();
  for (const [sid, item] of before) kept.set(sid, item);
}
