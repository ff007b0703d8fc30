import { CLEANUP_IDS, type CleanupId } from "../lib/incidents/checklist.ts";

/** The check-list in words: what a clean-up does, and how each item can be answered. */

/** What each clean-up does, and whom it hits. In the order in which they are done. */
const CLEANUP_WORDS: Readonly<Record<CleanupId, string>> = {
  "live-calls": "ends all its live calls",
  "api-keys": "deletes all its API keys; programs that use one stop",
  triggers: "creates the usage triggers that are missing",
  "unroute-numbers":
    "takes the voice and SMS webhooks off all its numbers; `incidents restore-numbers` puts them back later",
  "auth-token": "gives it a new auth token right after activation; programs with the old one get 401",
  "voice-countries": "lets calls go to the given countries only, right after activation",
};

export function isCleanup(id: string): id is CleanupId {
  return CLEANUP_IDS.some((known) => known === id);
}

/** What the clean-up does; an id that is new to this version says nothing. */
export function cleanupWords(id: string): string {
  return isCleanup(id) ? CLEANUP_WORDS[id] : "";
}

/** The flags that answer an open item, or what the policy says against a suspension. */
export function flagsFor(id: string): string {
  const acknowledge = `--acknowledge ${id}`;
  return isCleanup(id) ? `--cleanup ${id} or ${acknowledge}` : acknowledge;
}
