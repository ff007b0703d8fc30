import { type Change, entryBy, followedBy, type IncidentRecord, isSameDay, touch, withAlert } from "./change.ts";
import { commandRefused } from "./coming-back.ts";
import type { Incident, Wish } from "./incident.ts";

/** The changes that the sweep's watchfulness makes, and whoever else finds what it looks for. */

const PAST_US = "somebody set it active past Tollbreaker: it may be spending, and may be unguarded";

/** An account that we suspended is active, past us, and the policy says that people are told: once in a day. */
export function foundActive(record: IncidentRecord, identity: string, now: Date): Change {
  return foundActiveBy(record, { key: identity, note: PAST_US, now });
}

/** Somebody asked for its reactivation, and it is active already: there is nothing to bring back, and people must know. */
export function refusedAsActive(record: IncidentRecord, wish: Wish, why: string, now: Date): Change {
  const note = `${PAST_US}; ${wish.operator} asked for its reactivation, which was refused`;
  const refused = commandRefused(record, wish, why, now);
  // Once for each request: it may be cut, and come again.
  if (isToldActiveSince(record.incident, wish.at)) return refused;
  return followedBy(refused, (next) => {
    const found = foundActiveBy(next, { key: wish.command, note, now });
    return { ...found, record: touch(found.record, now.toISOString(), { reason: why }) };
  });
}

function foundActiveBy(record: IncidentRecord, { key, note, now }: { key: string; note: string; now: Date }): Change {
  const at = now.toISOString();
  // Read anew: what may be asked of the account goes by what it says.
  const known = touch(record, at, { checklist: null });
  return {
    record: withAlert(known, { about: "tampered", note, at }),
    entries: [entryBy("tollbreaker", `found-active:${key}`, at, "found-active", note, {})],
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

/** Whether people were told today, and since it was suspended last, that it is active. */
export function isToldActive({ alerts, suspendedAt }: Incident, now: Date): boolean {
  return alerts.some(
    ({ about, at }) => about === "tampered" && at > (suspendedAt ?? "") && isSameDay(at, now.toISOString()),
  );
}

/** Whether the incident says, or people were told, that the account is active. */
export function saysActive(incident: Incident): boolean {
  const { state, because, suspendedAt } = incident;
  switch (state) {
    case "open":
    case "alerted":
    case "failed":
      return true;
    case "suspended":
      return because === "brake" || isToldActiveSince(incident, suspendedAt ?? "");
    case "reactivating":
    case "reactivated":
    case "dismissed":
      return false;
  }
}

function isToldActiveSince({ alerts }: Incident, time: string): boolean {
  return alerts.some(({ about, at }) => about === "tampered" && at > time);
}

/** @param note how long it waits, and what the waiting costs. */
export function reminded(record: IncidentRecord, identity: string, note: string, now: Date): Change {
  const at = now.toISOString();
  return {
    record: withAlert(touch(record, at, {}), { about: "reminder", note, at }),
    entries: [entryBy("tollbreaker", `reminded:${identity}`, at, "reminded", note, {})],
  };
}
