import type { AlertPublisher } from "../alerts/publish.ts";
import type { Clock } from "../clock.ts";
import type { DrillStore } from "../drills/drill-store.ts";
import type { Command } from "../inbox/commands.ts";
import type { FollowUps } from "../inbox/follow-up.ts";
import type { ReturnInbox } from "../inbox/inbox.ts";
import type { Nudge } from "../inbox/nudges.ts";
import type { Postpone } from "../inbox/postpone.ts";
import type { Occasion } from "../incidents/record.ts";
import type { IncidentStore } from "../incidents/store.ts";
import type { Log } from "../log.ts";
import type { Policy } from "../policy/policy.ts";
import type { Account } from "../twilio/accounts.ts";
import type { Until } from "../twilio/backoff.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import type { BrakeKeeper } from "./keep-brake.ts";

/** Everything the responder works with. */
export interface Responder {
  /** With the parent's credentials. */
  twilio: TwilioClient;
  /** With a subaccount's own: some of Twilio's products take no others. */
  subaccount: (accountSid: string, authToken: string) => TwilioClient;
  /** A keyed fingerprint of an account's auth token, to tell later whether it is still the same. */
  markOf: (accountSid: string, authToken: string) => Promise<TokenMark>;
  store: IncidentStore;
  alerts: AlertPublisher;
  inbox: ReturnInbox;
  followUps: FollowUps;
  /** Says when a message of the follow-up queue that is not finished comes again. */
  postpone: Postpone;
  drills: DrillStore;
  policy: Policy;
  brake: BrakeKeeper;
  /** Our base URL, for links to incidents. */
  publicUrl: string;
  clock: Clock;
  log: Log;
}

/** One try at one message. Times are milliseconds since the epoch. */
export interface Turn {
  /** Which try it is, from 1. Our own count: what SQS counts are deliveries, begun or not. */
  tries: number;
  begunAt: number;
  /** When the function will be stopped. */
  deadline: number;
  /**
   * How long what is due besides the act itself (calls, evidence, alerts) may hold up the account's next message: one budget
   * for all messages of the account in the same batch.
   */
  besides: { leftMs: number };
  /** When an earlier try suspended the account and could not write it down, ISO 8601 UTC; null where none did. */
  containedAt: string | null;
}

/** Something that makes an account's incident. */
export interface Delivery<O extends Occasion = Occasion> extends Turn {
  signal: O;
  /** A reading of the account that is under way already, beside our own store's. */
  reading?: Promise<Answer<Account>>;
}

/** Something that the sweep asks to look at, or a rehearsal. */
export interface Errand<N extends Nudge = Nudge> extends Turn {
  nudge: N;
}

/** Something that a person wants. */
export interface Order<C extends Command = Command> extends Turn {
  command: C;
}

export type Outcome =
  | { kind: "done" }
  /** Not finished: it has to be tried again. */
  | {
      kind: "again";
      why: string;
      /** When it suspended the account and could not write it down, ISO 8601 UTC. */
      containedAt?: string;
    };

/** Until when a step may go on: each leaves a part of the try's time to those after it. */
export function share(
  responder: Responder,
  { begunAt, deadline }: Pick<Turn, "begunAt" | "deadline">,
  part: number,
): Until {
  return { clock: responder.clock, deadline: begunAt + (deadline - begunAt) * part };
}

/** Of 23.5 seconds: 6 to ask Usage Records, where a rule wants it; 14 for the suspension, 19 until the calls must have ended; the rest is for alerts and the record. */
export const CONFIRMATION_SHARE = 0.25;
export const SUSPENSION_SHARE = 0.6;
export const CALLS_SHARE = 0.8;

/** So often a message is tried before it is put aside for a person; docs/architecture.md says how long that takes. */
export const MOST_TRIES = 20;
