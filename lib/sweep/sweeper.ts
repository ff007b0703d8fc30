import type { AlertPublisher } from "../alerts/publish.ts";
import type { Clock } from "../clock.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { Log } from "../log.ts";
import type { Policy } from "../policy/policy.ts";
import type { Until } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { PoliteClient } from "./polite-client.ts";
import type { RunStore } from "./run-store.ts";
import type { SampleStore } from "./sample-store.ts";

/** Everything that a worker sweeps with. It changes no account's status and no incident: it asks, through the inbox. */
export interface Sweeper {
  /** With the parent's credentials. */
  twilio: TwilioClient;
  runs: RunStore;
  memory: MemoryStore;
  samples: SampleStore;
  inbox: Inbox;
  alerts: AlertPublisher;
  policy: Policy;
  /** Our base URL: what usage triggers call begins with it. */
  publicUrl: string;
  /** Whether people are told once a day how many accounts are armed and quiet. */
  dailySummary: boolean;
  clock: Clock;
  log: Log;
}

/** One shard's turn, and how long it may go on. */
export interface Turn {
  /** With the parent's credentials; one for all accounts of the shard. */
  twilio: PoliteClient;
  sweepId: string;
  /** ISO 8601 UTC. */
  listedAt: string;
  /** When this deployment began to watch, ISO 8601 UTC: what fired before suspends nobody by itself. */
  firstMoment: string;
  /** Whether no sweep was ever finished before this one: what it finds that was so before is told in one notice. */
  isFirst: boolean;
  until: Until;
}

/** A slow answer to a list of a thousand triggers, or to the creation of one. */
export const REQUEST_TIMEOUT_MS = 10_000;
