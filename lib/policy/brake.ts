import type { Brake } from "./policy.ts";

/**
 * The stop on mass suspension. A provider's billing fault, a mistake in a policy or an attacker may trip every
 * subaccount at once; the brake lets the first few be suspended and keeps the others running until a person has looked.
 */
export interface BrakeState {
  /** Suspensions that were let through, oldest first, an account perhaps more than once; those within the window count. */
  suspensions: readonly Suspension[];
  /** Accounts that tripped and were not suspended because of the brake, oldest first. */
  waiting: readonly Waiting[];
  /** The last releases that were carried out: the ids of their commands, oldest first. */
  released: readonly string[];
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

export const NO_BRAKE_STATE: BrakeState = { suspensions: [], waiting: [], released: [] };

export interface Passage {
  kind: "free" | "held";
  /** When it asked, ISO 8601 UTC: marks what this asking wrote down. */
  at: string;
  next: BrakeState;
}

/** Beyond this many, waiting accounts are still held, and no longer listed one by one: an item holds 400 KB. */
const MOST_WAITING = 1000;

/**
 * Whether `accountSid` may be suspended now. The same account asking twice is one suspension, so that a repeated
 * delivery does not use up the brake. An account has one incident at a time: what waited for an earlier one is over.
 */
export function passBrake(
  state: BrakeState,
  { accountSid, incidentId, now, brake }: { accountSid: string; incidentId: string; now: Date; brake: Brake },
): Passage {
  const at = now.toISOString();
  const suspensions = within(brake, state.suspensions, now);
  const passed = new Set(suspensions.map((one) => one.accountSid));
  const others = state.waiting.filter((one) => one.accountSid !== accountSid);
  if (passed.has(accountSid) || passed.size < brake.suspensions) {
    // Each time it is let through, so that its last suspension counts for a whole window.
    const next = { ...state, suspensions: [...suspensions, { accountSid, at }], waiting: others };
    return { kind: "free", at, next };
  }
  const isListed = state.waiting.some((one) => one.accountSid === accountSid && one.incidentId === incidentId);
  if (isListed) return { kind: "held", at, next: { ...state, suspensions } };
  const entry = { accountSid, incidentId, since: at, announcedBy: null };
  const waiting = others.length < MOST_WAITING ? [...others, entry] : others;
  return { kind: "held", at, next: { ...state, suspensions, waiting } };
}

/** Those that count at this time. */
export function within(brake: Brake, suspensions: readonly Suspension[], now: Date): Suspension[] {
  return suspensions.filter(({ at }) => Date.parse(at) > now.getTime() - brake.within);
}

/**
 * Strikes out what the asking `at` that time wrote down: the account turned out to be suspended already, or could not
 * be, so it neither counts nor waits. A suspension that it was let through to earlier still counts.
 */
export function giveBack(state: BrakeState, { accountSid, at }: Suspension): { next: BrakeState } {
  return {
    next: {
      ...state,
      suspensions: state.suspensions.filter((one) => one.accountSid !== accountSid || one.at !== at),
      waiting: state.waiting.filter((one) => one.accountSid !== accountSid || one.since !== at),
    },
  };
}

/** The account waits no more: a person has decided about it. */
export function strikeOff(state: BrakeState, accountSid: string): { next: BrakeState } {
  const waiting = state.waiting.filter((one) => one.accountSid !== accountSid);
  return { next: waiting.length === state.waiting.length ? state : { ...state, waiting } };
}

/** So many releases are known again: whoever sends one once more does so within minutes. */
const MOST_RELEASED = 50;

/**
 * A person has looked: the count begins anew. Who waits goes on waiting until it is dealt with. The same command once
 * more changes nothing: what was suspended since then counts.
 */
export function release(state: BrakeState, command: string): { next: BrakeState } {
  if (state.released.includes(command)) return { next: state };
  return { next: { ...state, suspensions: [], released: [...state.released, command].slice(-MOST_RELEASED) } };
}

export interface Announcement {
  /** The accounts that the alert of this incident has to name; empty when another alert names it already. */
  names: readonly Waiting[];
  next: BrakeState;
}

/**
 * Which waiting accounts the alert of this incident names: all that nobody was told of yet. Each is named in one alert,
 * whoever comes first. Asking again gives the same names, because the same alert, published twice, may be read once.
 */
export function announce(state: BrakeState, told: { accountSid: string; incidentId: string; now: Date }): Announcement {
  const { accountSid, incidentId, now } = told;
  const own = state.waiting.find((one) => one.incidentId === incidentId);
  // One too many for the list, which no other alert names.
  if (own === undefined) {
    return { names: [{ accountSid, incidentId, since: now.toISOString(), announcedBy: incidentId }], next: state };
  }
  const next =
    own.announcedBy === null ? { ...state, waiting: state.waiting.map((one) => by(incidentId, one)) } : state;
  return { names: next.waiting.filter(({ announcedBy }) => announcedBy === incidentId), next };
}

function by(incidentId: string, one: Waiting): Waiting {
  return one.announcedBy === null ? { ...one, announcedBy: incidentId } : one;
}
