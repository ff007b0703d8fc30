import type { Alert } from "../../../lib/alerts/alert.ts";
import type { Notice } from "../../../lib/alerts/notice.ts";
import type { AccountStatus } from "../../../local/twilio/state.ts";
import type { Item } from "./expressions.ts";
import type { Part, PlannedFault, Run } from "./faults.ts";

/** What an observer of a history sees; each at the moment when it happens. */
export type Seen =
  /** One of our functions asks Twilio to set an account's status. */
  | { what: "status-asked"; accountSid: string; status: string; run: Run | undefined }
  | ({ what: "status-changed" } & StatusChange)
  /** Somebody posted a webhook, and this is the answer; 0 where there was none. */
  | { what: "webhook"; webhook: Webhook; status: number; run: Run | undefined }
  | { what: "published"; alert: Alert | Notice; run: Run | undefined }
  /** An item of the table was written. */
  | { what: "written"; item: Item; run: Run | undefined }
  | { what: "accepted"; command: AcceptedCommand }
  | { what: "fault"; fault: PlannedFault & { part: Part; run: Run } }
  | { what: "outage"; of: Part; isOn: boolean }
  | { what: "run-ended"; run: Run; how: "returned" | "threw" | "killed" }
  | { what: "logged"; line: string };

export interface StatusChange {
  accountSid: string;
  from: AccountStatus;
  to: AccountStatus;
  /** Whose request it was; undefined for whoever is not us. */
  run: Run | undefined;
  /** Milliseconds that Twilio took to carry the request out: whoever sent it may have given it up. */
  took: number;
}

export interface Webhook {
  /** Twilio's own firing of a trigger of ours; of a trigger of the thief's; made up with a stolen token; not even signed. */
  by: "twilio" | "thief's-trigger" | "forger" | "stranger";
  accountSid: string;
  usageTriggerSid: string;
  /** Of the callback's address. */
  limit: string | null;
  isGuard: boolean;
  triggerValue: number;
  currentValue: number;
  /** Milliseconds since the epoch. */
  firedAt: number;
}

export interface AcceptedCommand {
  id: string;
  kind: string;
  accountSid: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Tells everybody who watches. */
export interface Observers {
  tell(seen: Seen): void;
  watch(watcher: (seen: Seen) => void): void;
}

export function observers(): Observers {
  const watchers: ((seen: Seen) => void)[] = [];
  return {
    tell(seen) {
      for (const watcher of watchers) watcher(seen);
    },
    watch: (watcher) => void watchers.push(watcher),
  };
}
