import { UNSIGNED_MARK } from "../world/thief.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 1: nothing unsigned has any effect. */
export const unsigned: MakeMonitor = ({ queues, outputs, table }, violated) => ({
  watch(seen) {
    if (seen.what !== "webhook" || seen.webhook.by !== "stranger") return;
    if (seen.status < 400) violated("unsigned-taken", `a webhook that nobody signed was answered ${seen.status}`);
    for (const queue of [queues.inbox, queues.followUp])
      if (queue.messages().some(({ body }) => isMarked(body)))
        violated("unsigned-stored", `${queue.name} holds what nobody signed`);
  },
  atTheEnd() {
    for (const item of table.items())
      if (isMarked(JSON.stringify(item))) violated("unsigned-written", `${item["pk"]} holds what nobody signed`);
    if (outputs.some(isMarked)) violated("unsigned-told", "a log or an alert holds what nobody signed");
  },
});

function isMarked(text: string): boolean {
  return text.includes(UNSIGNED_MARK);
}
