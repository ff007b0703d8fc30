import { type Change, entryBy, type IncidentRecord, touch, withAlert } from "./change.ts";

/** The changes that the sweep's watchfulness makes. */

/** An account that we suspended is active, past us, and the policy says that people are told. */
export function foundActive(record: IncidentRecord, identity: string, now: Date): Change {
  const at = now.toISOString();
  const note = "somebody set it active past Tollbreaker: it may be spending, and may be unguarded";
  return {
    record: withAlert(touch(record, at, {}), { about: "tampered", note, at }),
    entries: [entryBy("tollbreaker", `found-active:${identity}`, at, "found-active", note, {})],
  };
}

/** It runs although a limit of it is spent. @param words what watches it from now on */
export function guarded(record: IncidentRecord, id: string, words: string, now: Date): Change {
  const at = now.toISOString();
  return {
    record: touch(record, at, {}),
    entries: [entryBy("tollbreaker", `guarded:${id}`, at, "guarded", words, {})],
  };
}

/** @param note how long it waits, and what the waiting costs. */
export function reminded(record: IncidentRecord, identity: string, note: string, now: Date): Change {
  const at = now.toISOString();
  return {
    record: withAlert(touch(record, at, {}), { about: "reminder", note, at }),
    entries: [entryBy("tollbreaker", `reminded:${identity}`, at, "reminded", note, {})],
  };
}
