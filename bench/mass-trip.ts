import { type AttackScene, begunOf, forged, genuine, setAttackScene } from "./attack-scene.ts";
import type { Bundles } from "./bundles.ts";
import type { Effort } from "./effort.ts";
import { median } from "./median.ts";
import type { CountingProxy } from "./proxy.ts";
import { type Row, row } from "./row.ts";

/** What docs/deploy.md advises for so many accounts. */
const RESPONDERS = 10;
/** A thousand within ten seconds. Few trip at the same pace. */
const PACE_MS = 10;
const FEW = 10;
/** DynamoDB's answer where a condition does not hold. */
const REFUSED = 400;

interface Tripped {
  /** Milliseconds from the webhook of each to its suspend request. */
  each: number[];
  /** Milliseconds from the first webhook to the last suspend request. */
  all: number;
  /** Webhooks that were not stored at the fourth try, either: the sweep would find them. */
  lost: number;
  /** To our own table. */
  requests: number;
  /** Writes among them that were refused, because somebody else had written meanwhile. */
  refused: number;
}

/** A thousand accounts trip within ten seconds, by the same limit, under a brake that lets them. The peer: ten accounts. */
export async function measureMassTrip(bundles: Bundles, { trippingAccounts: many }: Effort): Promise<Row[]> {
  const few = await trip(bundles, FEW);
  const all = await trip(bundles, many);
  const measure = (what: string) => `${many.toLocaleString("en")} accounts trip at the same time: ${what}`;
  const peer = (value: number) => ({ name: `${FEW} accounts`, value });
  return [
    row({ measure: measure("first webhook to last suspend request"), unit: "ms", ours: all.all, peer: peer(few.all) }),
    row({
      measure: measure("webhook to suspend request"),
      unit: "ms",
      ours: median(all.each),
      peer: peer(median(few.each)),
    }),
    row({ measure: measure("webhooks that are left to the sweep"), unit: "messages", ours: all.lost }),
    row({
      measure: measure("to the store, for each"),
      unit: "requests",
      ours: all.requests / many,
      peer: peer(few.requests / FEW),
    }),
    row({ measure: measure("writes that the store refused, in all"), unit: "requests", ours: all.refused }),
    row({ measure: `the same with ${FEW} accounts`, unit: "requests", ours: few.refused }),
  ];
}

async function trip(bundles: Bundles, accounts: number): Promise<Tripped> {
  const scene = await setAttackScene(bundles, { subaccounts: 1 + accounts, responders: RESPONDERS });
  try {
    await warmUp(scene);
    const store = scene.world.proxies.dynamodb;
    const before = store.exchanges.length;
    const tripping = Array.from({ length: accounts }, () => scene.nextAccount());
    const sent = await scene.send(tripping.map((account, nth) => genuine(account, nth * PACE_MS)));
    const each: number[] = [];
    const ends: number[] = [];
    for (const [nth, account] of tripping.entries()) {
      if (sent[nth]?.isStored === false) continue;
      const begun = begunOf(sent[nth]);
      const after = await scene.suspendedAfter(account, begun);
      each.push(after);
      ends.push(begun + after);
    }
    await scene.quiet();
    const all = Math.max(...ends) - Math.min(...sent.map(begunOf));
    return { each, all, lost: accounts - each.length, ...costOf(store, before) };
  } finally {
    await scene.close();
  }
}

/** By a warning, which takes no place at the brake. */
async function warmUp(scene: AttackScene): Promise<void> {
  const fields = { TriggerValue: "80", CurrentValue: "81" };
  await scene.send([forged(scene.nextAccount(), 0, { limit: "daily-warning", fields })]);
  await scene.quiet();
}

function costOf({ exchanges }: CountingProxy, before: number) {
  const made = exchanges.slice(before);
  return { requests: made.length, refused: made.filter(({ status }) => status === REFUSED).length };
}
