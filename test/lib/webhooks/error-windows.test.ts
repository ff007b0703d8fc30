import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ErrorRuleSignal, Signal } from "../../../lib/inbox/messages.ts";
import { ErrorRuleSignal as ErrorRuleSchema, isSignal } from "../../../lib/inbox/messages.ts";
import { windowKey } from "../../../lib/incidents/keys.ts";
import { jsonLog } from "../../../lib/log.ts";
import type { ErrorEvent } from "../../../lib/webhooks/error-event.ts";
import { type ErrorWindows, errorWindows } from "../../../lib/webhooks/error-windows.ts";
import { windowStore } from "../../../lib/webhooks/window-store.ts";
import { type EmptyTable, emptyTable } from "../../support/empty-table.ts";
import { errorsOf } from "../../support/errors-of.ts";

// Against a real DynamoDB engine; each `functions()` is another warm function with a memory of its own.

const MINUTE = 60_000;
const RULE = "sms-pumping";
const LIMITS = { count: 5, within: 10 * MINUTE };
const START = Date.parse("2026-11-21T12:00:00.000Z");

let table: EmptyTable;
let accounts = 0;
let accountSid: string;
let time: number;
let inbox: Signal[];
let failInbox: boolean;

beforeAll(async () => {
  table = await emptyTable();
});
afterAll(() => table.close());
beforeEach(() => {
  accounts += 1;
  accountSid = `AC${String(accounts).padStart(32, "0")}`;
  time = START;
  inbox = [];
  failInbox = false;
  table.proxy.clear();
});

const clock = { now: () => new Date(time), sleep: async () => {} };

function functions(): ErrorWindows {
  return errorWindows({
    store: windowStore(table.client, table.tableName),
    inbox: {
      async put(signal) {
        if (failInbox) throw new Error("no inbox");
        if (isSignal(signal)) inbox.push(signal);
      },
    },
    clock,
    log: jsonLog(() => {}),
  });
}

const errors = (times: number, changes: Partial<ErrorEvent> = {}) =>
  errorsOf(accountSid, times, { at: new Date(time).toISOString(), ...changes });

function count(windows: ErrorWindows, events: ErrorEvent[], limits = LIMITS, signal = AbortSignal.timeout(100_000)) {
  return windows.count({ accountSid, rule: RULE, limits, events, signedBy: "subaccount" }, signal);
}

async function countEach(windows: ErrorWindows, events: ErrorEvent[], limits = LIMITS): Promise<void> {
  for (const event of events) await count(windows, [event], limits);
}

const stored = async () =>
  (await table.client.send(new GetCommand({ TableName: table.tableName, Key: windowKey(accountSid, RULE) }))).Item;
const writesDuring = async (work: () => Promise<unknown>) => {
  const before = table.writes();
  await work();
  return table.writes() - before;
};
const crossings = (): ErrorRuleSignal[] => inbox.filter((signal) => signal.kind === "error-rule");
/** What is left after SQS and the responder dropped repetitions. */
const differentSignals = () => new Set(inbox.map(({ id }) => id)).size;

describe("the count", () => {
  test("one short of the rule's tells nobody; the next one puts one signal into the inbox", async () => {
    const windows = functions();
    const [first, ...others] = errors(5);
    await countEach(windows, others);
    expect(inbox).toEqual([]);
    time += 1000;
    await count(windows, [{ ...first, at: new Date(time).toISOString() } as ErrorEvent]);
    expect(inbox).toEqual([
      {
        kind: "error-rule",
        id: `errors:${RULE}:${Math.floor(time / LIMITS.within)}`,
        accountSid,
        receivedAt: "2026-11-21T12:00:01.000Z",
        rule: RULE,
        count: 5,
        within: 600_000,
        firstAt: "2026-11-21T12:00:00.000Z",
        lastAt: "2026-11-21T12:00:01.000Z",
        samples: expect.arrayContaining([
          expect.objectContaining({ sid: first?.sid, code: 30450, road: "debugger", note: "Message delivery blocked" }),
        ]),
        signedBy: "subaccount",
      },
    ]);
    expect(ErrorRuleSchema.safeParse(inbox[0]).success).toBe(true);
  });

  test("an error that comes again, by either road and to any function, counts once", async () => {
    const events = errors(4);
    for (let times = 0; times < 3; times += 1) {
      await countEach(functions(), events);
      await countEach(
        functions(),
        events.map((event) => ({ ...event, road: "event-streams" })),
      );
    }
    expect(inbox).toEqual([]);
    expect(Object.keys((await stored())?.["events"])).toHaveLength(4);
    await count(functions(), errors(1));
    expect(crossings()).toMatchObject([{ count: 5 }]);
  });

  test("many errors in one delivery are counted in few writes", async () => {
    const limits = { count: 100, within: MINUTE };
    const writes = await writesDuring(() => count(functions(), errors(99), limits));
    expect(writes).toBeLessThanOrEqual(5);
    expect(inbox).toEqual([]);
    await count(functions(), errors(1), limits);
    expect(crossings()).toMatchObject([{ count: 100, samples: { length: 10 } }]);
  });

  test("each account and each rule has a window of its own", async () => {
    const windows = functions();
    await countEach(windows, errors(4));
    const signal = AbortSignal.timeout(10_000);
    await windows.count({ accountSid, rule: "other", limits: LIMITS, events: errors(4), signedBy: "parent" }, signal);
    accountSid = accountSid.replace("AC0", "ACf");
    await countEach(windows, errors(4));
    expect(inbox).toEqual([]);
  });

  test("a rule that counts to one trips on the first", async () => {
    await count(functions(), errors(1), { count: 1, within: MINUTE });
    expect(crossings()).toMatchObject([{ count: 1 }]);
  });

  test("a window expires a day after it can matter", async () => {
    await count(functions(), errors(1));
    expect((await stored())?.["expiresAt"]).toBe((START + LIMITS.within) / 1000 + 24 * 3600);
  });
});

describe("the window slides", () => {
  test("what came `within` ago no longer counts, and what came a millisecond later does", async () => {
    const windows = functions();
    await count(windows, errors(1));
    time += 1;
    await countEach(windows, errors(3));
    time = START + LIMITS.within;
    await count(windows, errors(1));
    expect(inbox).toEqual([]);
    await count(windows, errors(1));
    expect(crossings()).toMatchObject([{ count: 5, firstAt: new Date(START + 1).toISOString() }]);
  });

  test("a steady trickle below the rule never trips, however long it lasts, and the item stays small", async () => {
    const windows = functions();
    for (let times = 0; times < 60; times += 1) {
      await count(windows, errors(1));
      time += LIMITS.within / 4;
    }
    expect(inbox).toEqual([]);
    expect(Object.keys((await stored())?.["events"]).length).toBeLessThanOrEqual(2 * LIMITS.count);
  });

  test("a window full of old errors makes room for a new burst", async () => {
    await count(functions(), errors(4));
    time += LIMITS.within;
    await count(functions(), errors(4));
    time += LIMITS.within;
    await count(functions(), errors(4));
    expect(inbox).toEqual([]);
    await countEach(functions(), errors(1));
    expect(crossings()).toMatchObject([{ count: 5 }]);
  });

  test("an error that is delivered again after it grew old does not become new", async () => {
    const old = errors(4);
    await countEach(functions(), old);
    time += LIMITS.within;
    const again = old.map((event) => ({ ...event, at: new Date(time).toISOString() }));
    await countEach(functions(), [...again, ...errors(4)]);
    expect(inbox).toEqual([]);
  });

  test("a window that is full of errors that count has crossed, whatever was noted", async () => {
    // Another function's clock is ahead, so its errors are all fresh; and it died before it told anybody.
    failInbox = true;
    await expect(count(functions(), errors(12))).rejects.toThrow("no inbox");
    failInbox = false;
    await count(functions(), errors(1));
    expect(crossings()).toMatchObject([{ count: 12 }]);
  });
});

describe("one signal at a crossing", () => {
  test("while the flood lasts, then one for each further window", async () => {
    const windows = functions();
    await countEach(windows, errors(50));
    await countEach(functions(), errors(50));
    expect(inbox).toHaveLength(1);
    time += LIMITS.within;
    await countEach(windows, errors(50));
    expect(inbox).toHaveLength(2);
    expect(differentSignals()).toBe(2);
  });

  test("of 200 errors at the same time, to one function", async () => {
    const windows = functions();
    await Promise.all(errors(200).map((event) => count(windows, [event])));
    expect(crossings()).toMatchObject([{ count: 5 }]);
  });

  test.each([0, 1, LIMITS.within - 2])(
    "of 100 errors at the same time, each to a function of its own, %i ms into the slot of the id",
    async (offset) => {
      time = START + offset;
      const limits = { ...LIMITS, count: 20 };
      // The slot may end while they come.
      const events = errors(100).map((event, index) => ({ event, late: index % 5 }));
      await Promise.all(
        events.map(async ({ event, late }) => {
          await new Promise((resolve) => setTimeout(resolve, late));
          time += 0.02;
          await count(functions(), [event], limits);
        }),
      );
      expect(differentSignals()).toBe(1);
      expect(crossings()[0]?.count).toBeGreaterThanOrEqual(20);
    },
  );

  test("5,000 errors cost no more writes than the rule needs, and none once it has crossed", async () => {
    const limits = { count: 20, within: 10 * MINUTE };
    const windows = functions();
    const events = errors(5_000);
    const writes = await writesDuring(() => Promise.all(events.map((event) => count(windows, [event], limits))));
    expect(writes).toBeLessThanOrEqual(2 * limits.count + 5);
    expect(inbox).toHaveLength(1);
    expect(await writesDuring(() => countEach(windows, errors(100), limits))).toBe(0);
    // Another warm function finds out with one write.
    const other = functions();
    expect(await writesDuring(() => countEach(other, errors(100), limits))).toBe(1);
    expect(inbox).toHaveLength(1);
  });
});

describe("when something fails", () => {
  test("an inbox that is down loses no crossing: the same signal comes with the next delivery", async () => {
    failInbox = true;
    const events = errors(5);
    await expect(count(functions(), events)).rejects.toThrow("no inbox");
    failInbox = false;
    await count(functions(), events);
    await count(functions(), events);
    expect(crossings()).toMatchObject([{ count: 5 }]);
  });

  test("a crossing that nobody was told of is told even when some of its errors have grown old", async () => {
    await count(functions(), errors(3));
    time += LIMITS.within - 1000;
    failInbox = true;
    await expect(count(functions(), errors(2))).rejects.toThrow("no inbox");
    failInbox = false;
    time += 2000;
    await count(functions(), errors(1));
    expect(crossings()).toMatchObject([{ count: 6, firstAt: new Date(START).toISOString() }]);
  });

  test("a crash after the signal repeats it under the same id", async () => {
    table.proxy.fail({ on: ({ body }) => body.includes("crossing.told"), do: "answer", status: 400, body: "{}" });
    const events = errors(5);
    await expect(count(functions(), events)).rejects.toThrow();
    table.proxy.clear();
    await count(functions(), events);
    expect(inbox).toHaveLength(2);
    expect(differentSignals()).toBe(1);
  });

  test.each(["before", "after"] as const)("a store that fails %s it acted counts nothing twice", async (when) => {
    const events = errors(4);
    for (let times = 0; times < 8; times += 1) {
      table.proxy.fail({ on: "UpdateItem", nth: times + 1, times: 1, when, do: "cut" });
    }
    for (const event of events) {
      await count(functions(), [event]).catch(() => undefined);
      await count(functions(), [event]).catch(() => undefined);
    }
    table.proxy.clear();
    await countEach(functions(), events);
    expect(inbox).toEqual([]);
    expect(Object.keys((await stored())?.["events"])).toHaveLength(4);
    await count(functions(), errors(1));
    expect(crossings()).toMatchObject([{ count: 5 }]);
  });

  test("a store that hangs is given up when the request must be answered, and those who wait do no work", async () => {
    const windows = functions();
    table.proxy.fail({ do: "hang" });
    const signal = AbortSignal.timeout(100);
    const before = table.proxy.requests().length;
    const results = await Promise.allSettled(errors(20).map((event) => count(windows, [event], LIMITS, signal)));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    expect(table.proxy.requests().length - before).toBe(1);
    table.proxy.clear();
    await count(windows, errors(5));
    expect(inbox).toHaveLength(1);
  });
});
