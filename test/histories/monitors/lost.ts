import { accountIn, recordsIn, timelineIn } from "../core.ts";
import type { Webhook } from "../world/seen.ts";
import { isPutAside, nameOf } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

interface Taken extends Webhook {
  /** Milliseconds since the epoch. */
  at: number;
  wasActive: boolean;
}

const DAY_MS = 24 * 3600_000;

/**
 * Invariant 2: a webhook is answered 2xx only once it is in the inbox, and a firing of Twilio's that was is never lost. In the end its account was suspended, or it is in
 * a record, or somebody was told, or it waits for a person; unless it is older than what brought the account back.
 */
export const lost: MakeMonitor = (world, violated) => {
  const { time, twilio, table, queues } = world;
  const taken: Taken[] = [];
  const stoppedAt = new Map<string, number>();
  const toldAt = new Map<string, number>();
  return {
    watch(seen) {
      if (seen.what === "status-changed" && seen.to !== "active") stoppedAt.set(seen.accountSid, time.now());
      if (seen.what === "published" && seen.alert.about !== "notice")
        toldAt.set(seen.alert.incident.accountSid, time.now());
      if (seen.what === "webhook" && seen.status === 204 && seen.run?.sentTo.has(queues.inbox.name) === false)
        violated(
          "not-stored",
          `a webhook of ${nameOf(world, seen.webhook.accountSid)} was answered 204, and is not in the inbox`,
        );
      if (seen.what !== "webhook" || seen.webhook.by !== "twilio" || seen.status !== 204) return;
      const wasActive = twilio.known(seen.webhook.accountSid).status === "active";
      // Of a guard only the responder knows what it counts from.
      if (!seen.webhook.isGuard) taken.push({ ...seen.webhook, at: time.now(), wasActive });
    },
    atTheEnd() {
      for (const one of taken) {
        const { accountSid, at, limit, wasActive } = one;
        const happened = [stoppedAt.get(accountSid), toldAt.get(accountSid)].some((when) => (when ?? 0) >= at);
        if (!wasActive || happened || isPutAside(world, accountSid) || isOldNews(one) || isRecorded(accountSid, at))
          continue;
        violated("lost-webhook", `${limit} of ${nameOf(world, accountSid)} was taken, and nothing came of it`);
      }
    },
  };

  /** A daily trigger that fires again on the day of the reactivation has nothing new to say by itself. */
  function isOldNews({ accountSid, firedAt }: Taken): boolean {
    const { lastReactivatedAt } = accountIn(table, accountSid);
    if (lastReactivatedAt === undefined) return false;
    return firedAt < (Math.floor(Date.parse(lastReactivatedAt) / DAY_MS) + 1) * DAY_MS;
  }

  function isRecorded(accountSid: string, at: number): boolean {
    const own = recordsIn(table).filter(({ incident }) => incident.accountSid === accountSid);
    return own.some(({ incident }) => timelineIn(table, incident.id).some((entry) => Date.parse(entry.at) >= at));
  }
};
