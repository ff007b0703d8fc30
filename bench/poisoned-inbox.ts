import { createServer } from "node:http";
import { listening } from "../local/listening.ts";
import { type AttackScene, begunOf, fireAlone, forged, genuine, setAttackScene } from "./attack-scene.ts";
import type { Bundles } from "./bundles.ts";
import type { Effort } from "./effort.ts";
import type { Change } from "./firing.ts";
import { median } from "./median.ts";
import { type Row, row } from "./row.ts";

/** What was once found to make an alert throw, three times over, and what can't be read at all. */
const POISON: readonly Change[] = [
  ...["+81", "+82.5", "+99"].map((CurrentValue) => ({
    limit: "daily-warning",
    fields: { TriggerValue: "80", CurrentValue },
  })),
  { limit: "daily-warning", fields: { CurrentValue: "lots", TriggerBy: "", DateFired: "at noon" } },
];
/** They are in the inbox by then, and the responder is at them. */
const AHEAD_MS = 50;

/**
 * Warnings and garbage of an account come right before its spend fires: once where people can be told, once where SNS takes
 * the alert and never answers.
 */
export async function measurePoisonedInbox(bundles: Bundles, { poisonings }: Effort): Promise<Row[]> {
  const { alone, behind } = await withSnsThatWorks(bundles, poisonings);
  const hanging = await withSnsThatHangs(bundles, poisonings);
  const peer = { name: "with nothing before it", value: median(alone) };
  const measure = "three warnings and garbage, then a firing: to the suspend request";
  return [
    row({ measure, unit: "ms", ours: median(behind), peer }),
    row({ measure: `${measure}, while SNS hangs`, unit: "ms", ours: median(hanging), peer }),
  ];
}

async function withSnsThatWorks(bundles: Bundles, poisonings: number) {
  const scene = await setAttackScene(bundles, { subaccounts: 1 + 2 * poisonings });
  try {
    const [alone, behind]: [number[], number[]] = [[], []];
    await fireAlone(scene);
    for (let count = 0; count < poisonings; count++) {
      alone.push(await fireAlone(scene));
      behind.push(await fireBehindPoison(scene));
    }
    return { alone, behind };
  } finally {
    await scene.close();
  }
}

async function withSnsThatHangs(bundles: Bundles, poisonings: number): Promise<number[]> {
  const sns = await listening(createServer(() => undefined).listen(0, "127.0.0.1"));
  const environment = { AWS_ENDPOINT_URL_SNS: sns.url };
  const scene = await setAttackScene(bundles, { subaccounts: 1 + poisonings, environment });
  try {
    const behind: number[] = [];
    await fireAlone(scene);
    for (let count = 0; count < poisonings; count++) behind.push(await fireBehindPoison(scene));
    return behind;
  } finally {
    await scene.close();
    await sns.close();
  }
}

async function fireBehindPoison(scene: AttackScene): Promise<number> {
  await scene.quiet();
  const account = scene.nextAccount();
  const poison = POISON.map((change) => forged(account, 0, change));
  const [sent] = await scene.send([genuine(account, AHEAD_MS), ...poison]);
  return scene.suspendedAfter(account, begunOf(sent));
}
