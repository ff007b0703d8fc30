import type { Road } from "../inbox/commands.ts";
import { type CleanupId, missingFrom } from "../incidents/checklist.ts";
import type { Incident, Reactivation, Wish } from "../incidents/incident.ts";
import type { Fact } from "./alert.ts";
import { defanged, oneLine } from "./plain-text.ts";
import { lag, utc } from "./times.ts";

/** What a person asked for, in words: who, by which road, why, and what was done on the way back. */
export function wishFacts(wish: Wish): Fact[] {
  return [
    { label: "Asked by", value: `${operatorOf(wish)}, ${ROADS[wish.road]}` },
    { label: "Reason", value: defanged(wish.reason, 600) || "none was given" },
  ];
}

export function operatorOf({ operator }: Wish): string {
  return oneLine(operator, 64) || "an operator without a name";
}

const ROADS = {
  api: "through the API",
  cli: "from the command line",
  slack: "from Slack",
  console: "from the console",
} as const satisfies Record<Road, string>;

/** What the way back was like; nothing of it can be known when nobody asked. */
export function reactivatedFacts({ suspendedFor, guards, probationUntil, ...reactivation }: Reactivation): Fact[] {
  return [
    { label: "Suspended", value: suspendedFor === null ? "for how long is not known" : `for ${lag(suspendedFor)}` },
    ...answeredFacts(reactivation),
    { label: "Guards", value: guardsInWords(guards.length, probationUntil) },
  ];
}

export function notReactivatedFacts({ checklist }: Incident, reactivation: Reactivation): Fact[] {
  const missing = checklist === null ? [] : missingFrom(checklist, reactivation);
  const open = missing.map(({ id, why }) => `${id} (${defanged(why, 300) || "no reason was recorded"})`);
  return [
    { label: "Why not", value: defanged(reactivation.failure ?? "", 600) || "no reason was recorded" },
    ...(open.length === 0 ? [] : [{ label: "Open", value: open.join("; ") }]),
    ...answeredFacts(reactivation),
  ];
}

function answeredFacts({
  cleaned,
  countries,
  acknowledge,
}: Pick<Reactivation, "cleaned" | "countries" | "acknowledge">): Fact[] {
  const done = cleaned.map((id) => (id === "voice-countries" ? `${CLEANED[id]} ${countries.join(" ")}` : CLEANED[id]));
  return [
    { label: "Cleaned", value: oneLine(done.join(", "), 800) || "nothing" },
    { label: "Acknowledged", value: acknowledge.join(", ") || "nothing" },
  ];
}

const CLEANED = {
  "live-calls": "live calls ended",
  "api-keys": "API keys deleted",
  triggers: "usage triggers put back",
  "unroute-numbers": "webhooks of the numbers taken away and kept",
  "auth-token": "auth token replaced",
  "voice-countries": "voice only to",
} as const satisfies Record<CleanupId, string>;

function guardsInWords(count: number, until: string | null): string {
  const triggers = count === 1 ? "1 more usage trigger" : `${count} more usage triggers`;
  return until === null ? triggers : `${triggers} at a share of the limits, until ${utc(until)}`;
}
