import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { loadPolicy } from "../lib/policy/load-policy.ts";
import { mostStored } from "../test/support/door-bound.ts";
import {
  type AttackScene,
  begunOf,
  fireAlone,
  forged,
  genuine,
  type Scheduled,
  setAttackScene,
} from "./attack-scene.ts";
import { BENCH_POLICY, type Bundles } from "./bundles.ts";
import type { Effort } from "./effort.ts";
import type { Account, Change } from "./firing.ts";
import { median } from "./median.ts";
import { monotonicMs } from "./monotonic.ts";
import { type Row, row } from "./row.ts";

const PER_SECOND = 200;
/** What the design allows. */
const LATEST_MS = 2000;

/** What became of a flood of one account, in the middle of which something genuine came. */
interface Flooded {
  /** Webhooks a second, as they were sent. */
  rate: number;
  /** The most messages that waited in the inbox, or were being handled. */
  deepest: number;
  /** Milliseconds to the request that suspends the account that floods, and another account. */
  thief: number;
  bystander: number;
}

/**
 * Whoever holds the token of one account signs 200 webhooks of it a second, each another one and none of them over a limit
 * that suspends. In the middle its own spend fires, and another account's; or an operator asks for its suspension.
 */
export async function measureWebhookFlood(bundles: Bundles, { floodRounds, floodSeconds }: Effort): Promise<Row[]> {
  const scene = await setAttackScene(bundles, { subaccounts: 2 + 6 * floodRounds });
  try {
    // Not counted: everything is new.
    await fireAlone(scene);
    const warm = scene.nextAccount();
    await scene.flood([forged(warm, 0, FORGERIES[0]?.(0) ?? {})]);
    await suspendByHand(scene, warm);
    const [idle, idleByHand, fired, byHand]: [number[], number[], Flooded[], Flooded[]] = [[], [], [], []];
    for (let round = 0; round < floodRounds; round++) {
      idle.push(await fireAlone(scene));
      fired.push(await flood(scene, floodSeconds, "fires"));
      await scene.quiet();
      idleByHand.push(await suspendByHand(scene, scene.nextAccount()));
      byHand.push(await flood(scene, floodSeconds, "by-hand"));
    }
    return rowsOf({ idle, idleByHand, fired, byHand, seconds: floodSeconds });
  } finally {
    await scene.close();
  }
}

async function flood(scene: AttackScene, seconds: number, kind: "fires" | "by-hand"): Promise<Flooded> {
  await scene.quiet();
  const [thief, bystander] = [scene.nextAccount(), scene.nextAccount()];
  const middleMs = (seconds * 1000) / 2;
  const forgeries = Array.from({ length: PER_SECOND * seconds }, (_, nth) => nthForgery(thief, nth));
  const stops = [bystander, ...(kind === "fires" ? [thief] : [])];
  const depth = watchDepth(scene);
  const flooding = scene.flood(forgeries);
  const sending = scene.send(stops.map((account) => genuine(account, middleMs)));
  const asking = kind === "by-hand" ? sleep(middleMs).then(() => suspendByHand(scene, thief)) : undefined;
  const [bystanderFired, thiefFired] = await sending;
  const flooded = (await flooding).map(begunOf);
  return {
    rate: (flooded.length - 1) / ((Math.max(...flooded) - Math.min(...flooded)) / 1000),
    thief: await (asking ?? scene.suspendedAfter(thief, begunOf(thiefFired))),
    bystander: await scene.suspendedAfter(bystander, begunOf(bystanderFired)),
    deepest: depth.end(),
  };
}

const WATCH_EVERY_MS = 20;

function watchDepth({ world }: AttackScene) {
  let deepest = 0;
  const look = () => {
    deepest = Math.max(deepest, world.inboxDepth());
  };
  const timer = setInterval(look, WATCH_EVERY_MS);
  return {
    end() {
      clearInterval(timer);
      return deepest;
    },
  };
}

/** @returns milliseconds from when the command is accepted, and put into the inbox, to the suspend request. */
async function suspendByHand({ inbox, suspendedAfter }: AttackScene, account: Account): Promise<number> {
  const begun = monotonicMs();
  await inbox.put({
    kind: "suspend",
    id: randomUUID(),
    accountSid: account.accountSid,
    receivedAt: new Date().toISOString(),
    operator: "bench",
    road: "cli",
    reason: "its bill does not look right",
    acknowledge: [],
  });
  return suspendedAfter(account, begun);
}

/** The nth webhook of a flood: a warning, a made-up limit, garbage, or what may suspend by the door's lights and does not. */
function nthForgery(account: Account, nth: number): Scheduled {
  return forged(account, (nth * 1000) / PER_SECOND, FORGERIES[nth % FORGERIES.length]?.(nth) ?? {});
}

const DAY_MS = 86_400_000;
const FORGERIES: readonly ((nth: number) => Change)[] = [
  (nth) => ({ limit: "daily-warning", fields: { TriggerValue: "80", CurrentValue: `81.${nth}` } }),
  (nth) => ({
    limit: `made-up-${nth}`,
    fields: { UsageCategory: "calls", TriggerBy: "count", TriggerValue: `${nth}` },
  }),
  (nth) => ({ limit: "daily-warning", fields: { TriggerValue: "80", CurrentValue: `+81.${nth}` } }),
  (nth) => ({ fields: { CurrentValue: `lots, for the ${nth}th time` } }),
  // It fires once, so it may be a guard; the responder knows of none.
  (nth) => ({ limit: "made-up", fields: { Recurring: "", TriggerValue: "2", CurrentValue: `3.${nth}` } }),
  (nth) => ({ limit: "daily-spend", fields: { CurrentValue: `1.${nth}` } }),
  (nth) => ({ limit: "daily-spend", fields: { DateFired: new Date(Date.now() - 3 * DAY_MS - nth).toUTCString() } }),
];

interface Measured {
  idle: number[];
  idleByHand: number[];
  fired: Flooded[];
  byHand: Flooded[];
  seconds: number;
}

function rowsOf({ idle, idleByHand, fired, byHand, seconds }: Measured): Row[] {
  const all = [...fired, ...byHand];
  const measure = (what: string) => `200 forged webhooks a second of one account: ${what}`;
  const beside = { name: "without a flood", value: median(idle) };
  const suspensions = all.flatMap(({ thief, bystander }) => [thief, bystander]);
  // And two that are genuine.
  const most = mostStored(loadPolicy({ POLICY_FILE: BENCH_POLICY }), seconds * 1000) + 2;
  return [
    row({ measure: measure("sent"), unit: "a second", ours: median(all.map(({ rate }) => rate)) }),
    row({
      measure: measure("its own firing to suspend request"),
      unit: "ms",
      ours: median(fired.map(({ thief }) => thief)),
      peer: beside,
    }),
    row({
      measure: measure("an operator's command to suspend request"),
      unit: "ms",
      ours: median(byHand.map(({ thief }) => thief)),
      peer: { name: "without a flood", value: median(idleByHand) },
    }),
    row({
      measure: measure("another account's firing to suspend request"),
      unit: "ms",
      ours: median(all.map(({ bystander }) => bystander)),
      peer: beside,
    }),
    row({
      measure: measure("the slowest of all these"),
      unit: "ms",
      ours: Math.max(...suspensions),
      aim: { atMost: LATEST_MS },
    }),
    row({
      measure: measure("waiting in the inbox, at most"),
      unit: "messages",
      ours: Math.max(...all.map(({ deepest }) => deepest)),
      aim: { atMost: most },
    }),
  ];
}
