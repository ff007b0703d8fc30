import { STATIONS, type Station } from "../lib/drills/drill-store.ts";

/** Where a rehearsal passes: the webhook itself answers us; the others write down that they were passed. */
export type Stop = "webhook-answered" | Station;

export const STOPS: readonly Stop[] = ["webhook-answered", ...STATIONS];

interface Words {
  name: string;
  /** What to look at when it is not passed. */
  lookAt: string;
}

const WORDS: Readonly<Record<Stop, Words>> = {
  "webhook-answered": {
    name: "webhook answered",
    lookAt: "the usage-trigger function and PUBLIC_URL; `tollbreaker doctor` looks closer",
  },
  received: {
    name: "received",
    lookAt:
      "the inbox: is its event source mapping with the respond function enabled? Is the message in its dead-letter queue? The respond function's log says why",
  },
  handled: { name: "handled", lookAt: "the respond function's log, and whether it is throttled" },
  "account-read": {
    name: "account read",
    lookAt:
      "the respond function's log: whether it has this TWILIO_ACCOUNT_SID and its auth token, and whether Twilio answers it",
  },
  "alert-published": {
    name: "alert published",
    lookAt: "the alerts topic (ALERTS_TOPIC_ARN), and the respond function's right to publish to it",
  },
  "slack-told": {
    name: "Slack told",
    lookAt:
      "the notify queue and its dead-letter queue, the notify function's log, and the Slack webhook or token that it is given",
  },
};

export function nameOf(stop: Stop): string {
  return WORDS[stop].name;
}

export function lookAt(stop: Stop): string {
  return WORDS[stop].lookAt;
}
