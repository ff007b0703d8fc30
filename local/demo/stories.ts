import { billingGlitchStory } from "./billing-glitch.ts";
import { sipProbingStory } from "./sip-probing.ts";
import { spendingStory } from "./spending.ts";
import type { Story } from "./story.ts";

/** By the name of what goes wrong. */
export const STORIES: Readonly<Record<string, Story>> = {
  "sms-pumping": spendingStory(
    { kind: "sms-pumping" },
    "13,000 texts at $0.30 begin, all to one block of numbers, +99899394xxxx.",
    "The attacker",
  ),
  "toll-fraud": spendingStory(
    { kind: "toll-fraud" },
    "200 calls at $1.20 a minute begin, all to one block of numbers, +37190000xxxx.",
    "The attacker",
  ),
  "runaway-loop": spendingStory(
    { kind: "runaway-loop", perMinute: 24_000 },
    "two of its own numbers begin to answer each other, 24,000 texts a minute.",
    "The loop",
  ),
  "sip-probing": sipProbingStory,
  "billing-glitch": billingGlitchStory,
};
