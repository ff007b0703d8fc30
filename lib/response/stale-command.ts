import type { Command } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";

/**
 * A wish grows old: whoever had it may have decided otherwise since, or may not act any more. A message that waited in the
 * inbox, or came back from the dead letters, is not what anybody wants now.
 */
const FRESH_MS = 15 * 60_000;

/** Why it is too late for this command; undefined when it is not. @param found the incident that it is about */
export function whyStale(command: Command, found: IncidentRecord | undefined, now: Date): string | undefined {
  const waited = now.getTime() - Date.parse(command.receivedAt);
  // Stopping an account is what a person wanted, late or not; and what was begun is finished.
  if (command.kind === "suspend" || waited <= FRESH_MS || isBegun(command, found)) return undefined;
  return `it was asked for ${Math.floor(waited / 60_000)} minutes ago, which is too long: ask again if it is still wanted`;
}

/**
 * Why it is too late for this suspension: somebody asked for the account's reactivation after it. One that was asked for
 * while a reactivation was under way is the later wish, however long that took.
 * @param last the account's last incident
 */
export function whyOvertaken({ receivedAt }: Command, last: IncidentRecord | undefined): string | undefined {
  if (last === undefined) return undefined;
  const { state, reactivation, reactivatedAt } = last.incident;
  if (state !== "reactivated" || reactivation === null) return undefined;
  if (Date.parse(receivedAt) >= Date.parse(reactivation.at)) return undefined;
  return `${reactivation.operator} asked after this for the account's reactivation, and it was reactivated at ${reactivatedAt}: ask again if it is still wanted`;
}

function isBegun({ id }: Command, found: IncidentRecord | undefined): boolean {
  const incident = found?.incident;
  return incident?.reactivation?.command === id || incident?.dismissal?.command === id;
}
