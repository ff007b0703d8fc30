import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { accountKey } from "../../../lib/incidents/keys.ts";
import type { MemoryStore } from "../../../lib/sweep/memory-store.ts";
import { isGuard } from "../../../lib/triggers/guards.ts";
import { reactivate } from "../../support/commands.ts";
import { firing } from "../../support/signals.ts";
import { MINUTE, POLICY, type SweepRig, startSweepRig } from "./sweep-rig.ts";

const HOUR = 60 * MINUTE;
const DONE = { kind: "done" };

let rig: SweepRig;
let account: string;

beforeEach(async () => {
  rig = await startSweepRig();
  account = rig.simulator.subaccounts()[0]?.accountSid ?? "";
});
afterEach(() => rig.close());

test("guards that are newer than what the sweep recalled stay", async () => {
  const lastReactivatedAt = new Date(Date.now() - 48 * HOUR).toISOString();
  await rig.table.send(
    new PutCommand({ TableName: rig.aws.tableName, Item: { ...accountKey(account), lastReactivatedAt } }),
  );
  const { memory, clock } = rig.sweeper();
  const early = await memory.recall([account], { clock, deadline: Date.now() + MINUTE });

  expect(await rig.deliver(firing(account), { policy: POLICY })).toEqual(DONE);
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  expect(await rig.deliver(reactivate(recorded.incident), { policy: POLICY })).toEqual(DONE);
  const guards = (await rig.triggersOf(account)).filter(isGuard);
  expect(guards).toHaveLength(2);

  const recall: MemoryStore["recall"] = async (accountSids, until, reading) =>
    reading === "consistent" ? memory.recall(accountSids, until, reading) : early;
  await rig.sweep({ memory: { ...memory, recall } });
  expect((await rig.triggersOf(account)).filter(isGuard)).toEqual(guards);
});
