import { type BrakeAlert, NO_BRAKE_ALERT } from "./brake-alert.ts";
import type { Brake } from "./policy.ts";

/**
 * The stop on mass suspension. A provider's billing fault, a mistake in a policy or an attacker may trip every
 * subaccount at once; the brake lets the first few be suspended and keeps the others running until a person has looked.
 * What is here is bounded, however many accounts wait: those are kept one by one.
 */
export interface BrakeState {
  /**
   * The places that are taken, by the time they were taken, each by a suspension that happened or is being asked for; at
   * most two of one account. Those within the window count.
   */
  suspensions: readonly Suspension[];
  /** The last releases, oldest first. */
  releases: readonly Release[];
  alert: BrakeAlert;
}

export interface Suspension {
  accountSid: string;
  /** ISO 8601 UTC. Of one account, no two are the same. */
  at: string;
}

export interface Release {
  /** The id of the command. */
  command: string;
  /** How far down the list of those that wait it came: the last AccountSid that was dealt with; null once it is through. */
  reached: string | null;
}

/** An account that tripped, was not suspended because of the brake, and goes on running. */
export interface Waiting {
  accountSid: string;
  incidentId: string;
  /** ISO 8601 UTC. */
  since: string;
  /** The latest of the places that kept it from being suspended when it last asked, ISO 8601 UTC. */
  heldBy: string;
  /** When it was asked again because a place was given back, ISO 8601 UTC; null when it asked since, or never was. */
  calledAt: string | null;
  /** The incident whose alert named this account, and was published; null while nobody was told. */
  namedBy: string | null;
}

export const NO_BRAKE_STATE: BrakeState = { suspensions: [], releases: [], alert: NO_BRAKE_ALERT };

export type Passage =
  /** The place is taken; `at` tells it from the account's other ones. */
  | { kind: "free"; at: string; next: BrakeState }
  /** `heldBy`: when the latest of the places was taken that are in the way. */
  | { kind: "held"; heldBy: string; next: BrakeState };

/**
 * Twice what a policy can allow, at some 100 bytes each: an item of DynamoDB holds 400 KB. More come together only where
 * many workers were without the table; what is forgotten then leaves more than any brake allows.
 */
const MOST_PLACES = 2000;

/**
 * Whether `accountSid`, which is active, may be suspended now; if so, a place is taken. The same account asking twice takes
 * one place, so that a repeated delivery does not use up the brake; its place then is as young as its last asking.
 */
export function passBrake(
  state: BrakeState,
  { accountSid, now, brake }: { accountSid: string; now: Date; brake: Brake },
): Passage {
  const counted = within(brake, state.suspensions, now);
  const own = counted.filter((one) => one.accountSid === accountSid).at(-1);
  if (own === undefined && accountsIn(counted).size >= brake.suspensions) {
    const heldBy = counted.reduce((latest, { at }) => (at > latest ? at : latest), "");
    return { kind: "held", heldBy, next: state };
  }
  const at = own === undefined ? now.toISOString() : laterThan(own.at, now);
  return { kind: "free", at, next: { ...state, suspensions: withPlace(counted, { accountSid, at }) } };
}

/** The account's place before this one is kept: it counts if this one is given back. */
function withPlace(counted: readonly Suspension[], place: Suspension): Suspension[] {
  const last = counted.filter((one) => one.accountSid === place.accountSid).at(-1);
  const others = counted.filter((one) => one.accountSid !== place.accountSid || one === last);
  return [...others, place].slice(-MOST_PLACES);
}

function laterThan(at: string, now: Date): string {
  return new Date(Math.max(now.getTime(), Date.parse(at) + 1)).toISOString();
}

/** Those that count at this time. */
export function within(brake: Brake, suspensions: readonly Suspension[], now: Date): Suspension[] {
  return suspensions.filter(({ at }) => Date.parse(at) > now.getTime() - brake.within);
}

/** How many more accounts may be suspended now. */
export function freePlaces({ suspensions }: BrakeState, brake: Brake, now: Date): number {
  return Math.max(0, brake.suspensions - accountsIn(within(brake, suspensions, now)).size);
}

function accountsIn(suspensions: readonly Suspension[]): Set<string> {
  return new Set(suspensions.map(({ accountSid }) => accountSid));
}

/** The suspension for which the place was taken did not happen. One that the account took earlier still counts. */
export function giveBack(state: BrakeState, { accountSid, at }: Suspension): { next: BrakeState } {
  const left = state.suspensions.filter((one) => one.accountSid !== accountSid || one.at !== at);
  return { next: left.length === state.suspensions.length ? state : { ...state, suspensions: left } };
}

/**
 * A suspension whose place was given back did happen after all: it counts, whether or not there is room for it. Nothing
 * changes where the account has a place that is as young.
 */
export function countLate(state: BrakeState, { accountSid, at }: Suspension, brake: Brake): { next: BrakeState } {
  if (state.suspensions.some((one) => one.accountSid === accountSid && one.at >= at)) return { next: state };
  const counted = within(brake, state.suspensions, new Date(at));
  return { next: { ...state, suspensions: withPlace(counted, { accountSid, at }) } };
}

/** Whoever was asked again and has not asked within this time never will: the message may be lost. */
const CALL_LASTS_MS = 120_000;

/**
 * Whom to ask again after `place` was given back: the oldest of those that it helped to hold, as many as places are free.
 * Who was held by others waits for a person. One that was asked a moment ago has a free place in mind already.
 */
export function nextInLine(
  waiting: readonly Waiting[],
  { place, free, now }: { place: Suspension; free: number; now: Date },
): Waiting[] {
  const isCalled = ({ calledAt }: Waiting) => calledAt !== null && now.getTime() - Date.parse(calledAt) < CALL_LASTS_MS;
  const left = free - waiting.filter(isCalled).length;
  const held = waiting.filter((one) => one.heldBy >= place.at && !isCalled(one));
  return oldestFirst(held).slice(0, Math.max(0, left));
}

export function oldestFirst<W extends Pick<Waiting, "since">>(waiting: readonly W[]): W[] {
  return waiting.toSorted((one, other) => Date.parse(one.since) - Date.parse(other.since));
}

/** So many releases are known again: whoever sends one once more does so within minutes. */
const MOST_RELEASES = 50;

/**
 * A person has looked: the count begins anew, and so does what people are told. Who waits goes on waiting until it is dealt
 * with. The same command once more changes nothing: what was suspended since then counts.
 */
export function release(state: BrakeState, command: string): { next: BrakeState } {
  if (releaseOf(state, command) !== undefined) return { next: state };
  const releases = [...state.releases, { command, reached: "" }].slice(-MOST_RELEASES);
  return { next: { suspensions: [], releases, alert: { ...NO_BRAKE_ALERT, maker: state.alert.maker } } };
}

export function releaseOf({ releases }: BrakeState, command: string): Release | undefined {
  return releases.find((one) => one.command === command);
}

/** How far a release came. It never goes back: of two that are at the same one, the slower repeats what was done. */
export function releaseReached(state: BrakeState, { command, reached }: Release): { next: BrakeState } {
  const before = releaseOf(state, command)?.reached;
  const isFurther = typeof before === "string" && (reached === null || reached > before);
  if (!isFurther) return { next: state };
  const releases = state.releases.map((one) => (one.command === command ? { command, reached } : one));
  return { next: { ...state, releases } };
}
