import type { Brake } from "./policy.ts";

/**
 * The stop on mass suspension. A provider's billing fault, a mistake in a policy or an attacker may trip every
 * subaccount at once; the brake lets the first few be suspended and keeps the others running until a person has looked.
 */
export interface BrakeState {
  /** Suspensions that were let through, oldest first; only those within the window count. */
  suspensions: readonly Suspension[];
  /** Accounts that tripped and were not suspended because of the brake, oldest first. */
  waiting: readonly Waiting[];
}

export interface Suspension {
  accountSid: string;
  /** ISO 8601 UTC. */
  at: string;
}

export interface Waiting {
  accountSid: string;
  incidentId: string;
  since: string;
  /** The incident whose alert names this account; null while nobody was told. */
  announcedBy: string | null;
}

export const NO_BRAKE_STATE: BrakeState = { suspensions: [], waiting: [] };

export interface Passage {
  kind: "free" | "held";
  next: BrakeState;
}

/** Beyond this many, waiting accounts are still held, and no longer listed one by one: an item holds 400 KB. */
const MOST_WAITING = 1000;

/**
 * Whether `accountSid` may be suspended now. The same account asking twice is one suspension, so that a repeated
 * delivery does not use up the brake.
 */
export function passBrake(
  state: BrakeState,
  { accountSid, incidentId, now, brake }: { accountSid: string; incidentId: string; now: Date; brake: Brake },
): Passage {
  const at = now.toISOString();
  const suspensions = state.suspensions.filter((one) => Date.parse(one.at) > now.getTime() - brake.within);
  const hasPassed = suspensions.some((one) => one.accountSid === accountSid);
  if (hasPassed) return { kind: "free", next: { ...state, suspensions } };
  if (suspensions.length < brake.suspensions) {
    return { kind: "free", next: { ...state, suspensions: [...suspensions, { accountSid, at }] } };
  }
  const isListed = state.waiting.some((one) => one.accountSid === accountSid) || state.waiting.length >= MOST_WAITING;
  const entry = { accountSid, incidentId, since: at, announcedBy: null };
  return { kind: "held", next: { suspensions, waiting: isListed ? state.waiting : [...state.waiting, entry] } };
}

export interface Announcement {
  /** The accounts that the alert of this incident has to name; empty when another alert names it already. */
  names: readonly Waiting[];
  next: BrakeState;
}

/**
 * Which waiting accounts the alert of `incidentId` names: all that nobody was told of yet. Each is named in one alert,
 * whoever comes first; asking again gives the same names.
 */
export function announce(state: BrakeState, incidentId: string): Announcement {
  const own = state.waiting.find((one) => one.incidentId === incidentId);
  const isMine = own === undefined || own.announcedBy === null || own.announcedBy === incidentId;
  if (!isMine) return { names: [], next: state };
  const waiting = state.waiting.map((one) => (one.announcedBy === null ? { ...one, announcedBy: incidentId } : one));
  return { names: waiting.filter(({ announcedBy }) => announcedBy === incidentId), next: { ...state, waiting } };
}
