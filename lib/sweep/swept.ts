import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import type { Aftermath, Findings } from "./judge-account.ts";
import type { Known } from "./known.ts";
import type { Repair } from "./repair-account.ts";
import type { SweptAccount } from "./shard.ts";

/** An account, what is known of it, and what Twilio shows. */
export interface Read {
  account: SweptAccount;
  known: Known;
  triggers: readonly UsageTrigger[];
}

/** What came of it. */
export interface Swept {
  findings: Findings;
  /** Undefined where nothing had to be repaired. */
  repair: Repair | undefined;
  after: Aftermath;
}
