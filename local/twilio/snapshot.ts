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
  const { status, friendlyName, dateUpdated } = account;
  const triggers = [...account.triggers.values()].map((trigger) => ({ trigger, before: { ...trigger } }));
  const calls = [...account.calls.values()].map((call) => ({ call, before: { ...call } }));
  return () => {
    Object.assign(account, { status, friendlyName, dateUpdated });
    account.triggers.clear();
    for (const { trigger, before } of triggers) account.triggers.set(before.sid, Object.assign(trigger, before));
    for (const { call, before } of calls) Object.assign(call, before);
  };
}
