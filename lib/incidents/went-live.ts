import type { Reactivation } from "./incident.ts";

/** Whether a reactivation that came to nothing had let the account spend: it is armed right before it is activated. */
export function wentLive(reactivation: Reactivation | null): "yes" | "no" | "not-known" {
  if (reactivation === null) return "not-known";
  if (reactivation.activatedAt !== null) return "yes";
  return reactivation.probationUntil === null ? "no" : "not-known";
}
