import type { Policy } from "../../lib/policy/policy.ts";
import type { System } from "../system.ts";
import type { SimulatorOptions, TwilioSimulator } from "../twilio/simulator.ts";
import type { Teller } from "./teller.ts";

/** One thing that goes wrong, told as it happens. */
export interface Story {
  subaccounts: number;
  /** Simulated seconds in a real one. */
  timeFactor: number;
  /** What is to be different from the ordinary before anything starts. */
  prepare?(): Promise<Setting>;
  /**
   * @returns the id of the incident to show at the end.
   * @throws Error when the story does not end as it should.
   */
  tell(stage: Stage): Promise<string>;
}

export interface Setting {
  environment: Readonly<Record<string, string>>;
  simulator: SimulatorOptions;
  close(): Promise<void>;
}

/** What a story plays with. */
export interface Stage {
  system: System;
  simulator: TwilioSimulator;
  policy: Policy;
  timeFactor: number;
  /** Fills with what Slack was told: the lines of each message. */
  slack: readonly (readonly string[])[];
  teller: Teller;
}
