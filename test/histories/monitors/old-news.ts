import type { Message } from "../../../lib/inbox/messages.ts";
import { accountIn } from "../core.ts";
import { isByHand, messagesOf, nameOf, openRecord } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 9: what fired before the last reactivation suspends nobody. */
export const oldNews: MakeMonitor = (world, violated) => ({
  watch(seen) {
    if (seen.what !== "status-changed" || seen.to !== "suspended" || seen.run === undefined) return;
    const { accountSid, run } = seen;
    const { lastReactivatedAt } = accountIn(world.table, accountSid);
    if (lastReactivatedAt === undefined || isByHand(world, run, accountSid)) return;
    const messages = messagesOf(run, accountSid);
    // DateFired has no milliseconds.
    const since = Math.floor(Date.parse(lastReactivatedAt) / 1000) * 1000;
    const opened = openRecord(world, accountSid)?.incident.openedAt;
    const isOpenSince = opened !== undefined && opened < lastReactivatedAt;
    if (messages.length === 0 || isOpenSince || !messages.every((one) => isOld(one, since))) return;
    violated("old-news", `${nameOf(world, accountSid)} was suspended for what fired before ${lastReactivatedAt}`);
  },
});

function isOld(message: Message, since: number): boolean {
  if (message.kind !== "usage-trigger" || message.found !== "webhook" || message.firedAt === null) return false;
  return Date.parse(message.firedAt) < since && message.recurring !== "";
}
