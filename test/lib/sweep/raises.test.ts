import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Notice } from "../../../lib/alerts/notice.ts";
import type { Message } from "../../../lib/inbox/messages.ts";
import { accountKey } from "../../../lib/incidents/keys.ts";
import { raiseReader } from "../../../lib/incidents/raise-store.ts";
import type { Sweeper } from "../../../lib/sweep/sweeper.ts";
import { endRaise, raiseLimit } from "../../support/commands.ts";
import { firing } from "../../support/signals.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "./sweep-rig.ts";

// A limit that an operator raises for a while: from the command to its end, through the responder and the sweep.

const HOUR = 60 * MINUTE;
const NAME = "tollbreaker: daily-spend";

let rig: SweepRig;
let account: string;

beforeAll(async () => {
  rig = await startSweepRig();
});
afterAll(() => rig.close());
beforeEach(async () => {
  account = rig.simulator.addSubaccount().accountSid;
  await rig.sweep();
  await rig.notices();
});
afterEach(() => rig.mend());

const at = (milliseconds: number): { clock: Sweeper["clock"] } => ({ clock: ahead(milliseconds) });
const deliver = (message: Message, clock = at(0)) => rig.deliver(message, { policy: POLICY, ...clock });
const status = () => rig.simulator.account(account).status;
const DONE = { kind: "done" };

/** Values of the triggers of the raised limit. */
async function values(): Promise<number[]> {
  const triggers = await rig.triggersOf(account);
  return triggers.flatMap(({ friendlyName, triggerValue }) => (friendlyName === NAME ? [Number(triggerValue)] : []));
}

async function noticesOf(): Promise<Notice[]> {
  return (await rig.notices()).filter((one) => JSON.stringify(one).includes(account));
}

const records = () => raiseReader(rig.table, rig.aws.tableName).list(account);
const spend = (price: number) => rig.simulator.addUsage(account, { category: "sms", price });

/** What a sweep at that time asks of the responder, handed out. */
async function sweepAndHeed(milliseconds: number): Promise<Message[]> {
  await rig.sweep(at(milliseconds));
  const asked = (await rig.inboxOf(account)).filter((message) => !heeded.has(message.id));
  for (const message of asked) {
    heeded.add(message.id);
    expect(await deliver(message, at(milliseconds))).toEqual(DONE);
  }
  return asked;
}
const heeded = new Set<string>();

async function raise(): Promise<void> {
  expect(await deliver(raiseLimit(account))).toEqual(DONE);
}

describe("a raised limit", () => {
  test("has its trigger at once, is told once, and is no drift", async () => {
    const command = raiseLimit(account);
    expect(await deliver(command)).toEqual(DONE);
    expect(await values()).toEqual([500]);
    expect(await deliver(command)).toEqual(DONE);
    await rig.sweep(at(5 * MINUTE));
    const told = await noticesOf();
    expect(told.map(({ kind }) => kind)).toEqual(["limit-raised"]);
    expect(told[0]?.text).toContain("daily-spend: 100 raised to 500");
    expect(told[0]?.text).toContain("alice");
    expect(await records()).toMatchObject([
      { state: "raised", limit: "daily-spend", from: "100", to: "500", operator: "alice", command: command.id },
    ]);
    expect(await values()).toEqual([500]);
  });

  test("keeps a firing of the policy's value from suspending, and none of its own", async () => {
    await raise();
    const early = firing(account, { limit: "daily-spend", currentValue: "300" });
    expect(await deliver(early)).toEqual(DONE);
    expect(await rig.incidentsOf(account)).toEqual([]);
    expect(status()).toBe("active");
    await deliver(firing(account, { limit: "daily-spend", triggerValue: "500", currentValue: "500" }));
    expect(status()).toBe("suspended");
  });

  test("that cannot be read in time is none: the policy's value suspends", async () => {
    await raise();
    rig.dynamo.fail({ do: "answer", status: 500 });
    await deliver(firing(account, { limit: "daily-spend", currentValue: "300" }));
    expect(status()).toBe("suspended");
  });

  test("that this version cannot read is none, and keeps no signal from being judged", async () => {
    await raise();
    const broken = { UpdateExpression: "SET raises = :raises", ExpressionAttributeValues: { ":raises": "500" } };
    await rig.table.send(new UpdateCommand({ TableName: rig.aws.tableName, Key: accountKey(account), ...broken }));
    await deliver(firing(account, { limit: "daily-spend", currentValue: "300" }));
    expect(status()).toBe("suspended");
  });

  test("beyond the ceiling, or of nobody's account, is refused, recorded, and changes nothing", async () => {
    expect(await deliver(raiseLimit(account, { to: "5000" }))).toEqual(DONE);
    expect(await records()).toMatchObject([{ state: "refused", why: expect.stringContaining("1000 at most") }]);
    const nobody = `AC${"e".repeat(32)}`;
    expect(await deliver(raiseLimit(nobody))).toEqual(DONE);
    expect(await raiseReader(rig.table, rig.aws.tableName).list(nobody)).toMatchObject([{ state: "refused" }]);
    expect(await values()).toEqual([100]);
    expect(await noticesOf()).toEqual([]);
  });
});

describe("its end", () => {
  test("is found by the sweep, told, and leaves an account below the policy's value its old limit", async () => {
    await raise();
    spend(40);
    await rig.notices();
    expect(await sweepAndHeed(HOUR)).toEqual([]);
    expect(await sweepAndHeed(2 * HOUR + MINUTE)).toMatchObject([{ kind: "raises" }]);
    expect(await values()).toEqual([100]);
    expect((await noticesOf()).map(({ kind, severity }) => [kind, severity])).toEqual([["raise-ended", "info"]]);
    expect(await records()).toMatchObject([{ state: "ended", ended: { operator: null, spent: "40", rest: null } }]);
    expect(await sweepAndHeed(2 * HOUR + 6 * MINUTE)).toEqual([]);
  });

  test("of one above it suspends nothing, says what counts, and leaves it guarded until the day is over", async () => {
    await raise();
    spend(300);
    await rig.simulator.evaluateTriggers();
    await rig.notices();
    await sweepAndHeed(2 * HOUR + MINUTE);
    expect(await values()).toEqual([400]);
    const [told, ...more] = await noticesOf();
    expect(more).toEqual([]);
    expect(told).toMatchObject({ kind: "raise-ended", severity: "warning" });
    expect(told?.headline).toContain("it is not suspended for that");
    expect(told?.headline).toContain("it trips at 400, then at 100 again");
    await sweepAndHeed(2 * HOUR + 6 * MINUTE);
    await rig.simulator.evaluateTriggers();
    await sweepAndHeed(2 * HOUR + 12 * MINUTE);
    expect([status(), await values()]).toEqual(["active", [400]]);
    // Only the warning at 80.
    expect((await rig.incidentsOf(account)).map(({ incident }) => incident.rule)).toEqual(["daily-warning"]);
    // New spend, as much as the policy allows.
    const later = at(2 * HOUR + 13 * MINUTE);
    const receivedAt = later.clock.now().toISOString();
    const fired = { limit: "daily-spend", receivedAt, firedAt: receivedAt };
    await deliver(firing(account, { ...fired, triggerValue: "400", currentValue: "399.99" }), later);
    expect(status()).toBe("active");
    await deliver(firing(account, { ...fired, triggerValue: "400", currentValue: "400" }), later);
    expect(status()).toBe("suspended");
  });

  test("leaves nothing once the day is over, and that is no drift", async () => {
    await raise();
    spend(300);
    await sweepAndHeed(2 * HOUR + MINUTE);
    await rig.notices();
    // The rig begins at noon. In the first hour Twilio may still show the value of the day before.
    expect((await sweepAndHeed(12 * HOUR + 30 * MINUTE)).filter(({ kind }) => kind === "raises")).toEqual([]);
    expect(await values()).toEqual([400]);
    const asked = await sweepAndHeed(13 * HOUR + MINUTE);
    expect(asked.map(({ kind }) => kind)).toEqual(["raises"]);
    expect(await values()).toEqual([100]);
    expect(await noticesOf()).toEqual([]);
  });

  test("comes early where somebody takes it back", async () => {
    await raise();
    spend(150);
    await rig.notices();
    const command = endRaise(account, { operator: "bob" });
    expect(await deliver(command)).toEqual(DONE);
    expect(await deliver(command)).toEqual(DONE);
    expect(await values()).toEqual([250]);
    const told = await noticesOf();
    expect(told.map(({ kind }) => kind)).toEqual(["raise-ended"]);
    expect(told[0]?.headline).toContain("bob took it back");
    expect(await records()).toMatchObject([{ state: "ended", ended: { operator: "bob", rest: { to: "250" } } }]);
    expect(await deliver(endRaise(account))).toEqual(DONE);
    expect(await noticesOf()).toEqual([]);
  });

  test("is told by the next sweep where the topic was out", async () => {
    await raise();
    await rig.notices();
    rig.sns.fail({ do: "answer", status: 500 });
    expect((await deliver(endRaise(account))).kind).toBe("threw");
    rig.mend();
    expect(await sweepAndHeed(5 * MINUTE)).toMatchObject([{ kind: "raises" }]);
    expect((await noticesOf()).map(({ kind }) => kind)).toEqual(["raise-ended"]);
  });
});
