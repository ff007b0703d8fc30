import { CLEANUP_IDS, type CleanupId } from "../lib/incidents/checklist.ts";
import type { ChecklistView, CheckView, ReactivationView } from "./incident-view.ts";

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

/** An item of the check-list, or what the policy says against a suspension; that has no `answer`. */
export interface Open {
  id: string;
  answer?: string;
  why: string;
}

/** Nobody's word lifts a suspension that is not ours, or makes an account one that is suspended. */
export function canBeAcknowledged({ id, answer }: Omit<Open, "why">): boolean {
  return id !== "suspended-by" || answer !== "not-done";
}

/** The flags that answer an open item; empty where none does. */
export function flagsFor(item: Omit<Open, "why">): string {
  const { id } = item;
  const cleanup = isCleanup(id) ? [`--cleanup ${id}`] : [];
  const acknowledge = canBeAcknowledged(item) ? [`--acknowledge ${id}`] : [];
  return [...cleanup, ...acknowledge].join(" or ");
}

/** An open item with the flags that answer it, on one line. */
export function openLine(item: Open): string {
  return `${item.id} (${item.why}): ${flagsFor(item) || "no flag helps"}`;
}

/** All that a list says, and how it is answered from a script: without colours, a line for each item. */
export function listLines({ items, digest }: ChecklistView): string[] {
  const lines = items.map((item) => (item.answer === "done" ? `${item.id}: ${item.why}` : openLine(item)));
  return digest === undefined ? lines : [...lines, digestLine(digest)];
}

/** Under a check-list: what a script carries, that acknowledges something on it. */
export function digestLine(digest: string): string {
  return `--acknowledge without being asked: add --checklist ${digest}, which names this list`;
}

/** What whoever answered was shown of this item, where that was something else. */
export function seenOtherwise({ id, answer, why }: CheckView, { seen = [] }: ReactivationView): CheckView | undefined {
  return seen.find((one) => one.id === id && (one.answer !== answer || one.why !== why));
}
