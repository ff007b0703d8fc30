import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Policy } from "../../lib/policy/policy.ts";
import type { FaultRule, SeenRequest } from "../support/fault-proxy.ts";
import { SUSPEND_ALL } from "../support/policies.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// Our own store failing in every way: the suspension happens all the same, and is recorded once the store is back.

const OBSERVE: Policy = { ...SUSPEND_ALL, mode: "observe" };

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
});
afterEach(() => rig.mend());

const THROTTLED = {
  do: "answer",
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    message: "The level of configured provisioned throughput for the table was exceeded.",
  }),
} as const;

const status = () => rig.simulator.account(account).status;
const toldOf = async () => (await rig.alertsOf(account)).map(({ about }) => about);

/** Whatever went wrong before, this is how it must end. */
async function expectOneCompleteStory(): Promise<void> {
  expect(rig.simulator.account(account)).toMatchObject({ status: "suspended", liveCalls: 0 });
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  expect(recorded?.incident).toMatchObject({
    state: "suspended",
    containment: { by: "tollbreaker", callsLeft: 0 },
    signals: 1,
    alerts: [{ about: "suspended", publishedAt: expect.any(String) }],
  });
  const story = recorded?.timeline.map(({ what }) => what) ?? [];
  for (const what of ["opened", "suspended", "calls-ended", "alert-published"]) expect(story).toContain(what);
  expect(new Set((await rig.alertsOf(account)).map(({ id }) => id)).size).toBe(1);
}

describe("a store that fails before anything is known", () => {
  test.each<[string, FaultRule]>([
    ["is down", { do: "cut" }],
    ["answers 500", { do: "answer", status: 500, body: "{}" }],
    ["is throttled", THROTTLED],
    ["is throttled, and says so in an answer of 200", unprocessed()],
  ])(
    "%s: the account is suspended and its calls are ended; later there is one incident and one alert",
    async (_, fault) => {
      rig.dynamo.fail(fault);
      rig.simulator.addCalls(account, { calls: 2 });
      const signal = firing(account);

      expect(await rig.deliver(signal)).toMatchObject({ kind: "again" });
      expect(rig.simulator.account(account)).toMatchObject({ status: "suspended", liveCalls: 0 });
      expect(await toldOf()).toEqual([]);

      expect(await rig.deliver(signal, { attempt: 2 })).toMatchObject({ kind: "again" });
      rig.mend();
      expect(await rig.deliver(signal, { attempt: 3 })).toEqual({ kind: "done" });
      await expectOneCompleteStory();
      expect(rig.suspensionRequests(account)).toBe(1);
      expect(await toldOf()).toEqual(["suspended"]);
    },
  );

  test("is down: nothing older than 15 minutes is acted on, for it may be old news", async () => {
    rig.dynamo.fail({ do: "cut" });
    const receivedAt = new Date(Date.now() - 15 * 60_000).toISOString();
    expect(await rig.deliver(firing(account, { receivedAt }))).toMatchObject({ kind: "again" });
    expect(status()).toBe("active");
  });

  test("is down in observe mode: nothing is suspended", async () => {
    rig.dynamo.fail({ do: "cut" });
    expect(await rig.deliver(firing(account), { policy: OBSERVE })).toMatchObject({ kind: "again" });
    expect(status()).toBe("active");
  });

  test("knows that the signal is old news and then cannot read the open incident: nothing is suspended", async () => {
    const lastReactivatedAt = new Date().toISOString();
    await rig.store.claim(account, "20261121T030405123-00000000");
    await setAccount({ openIncidentId: "20261121T030405123-00000000", lastReactivatedAt });
    rig.dynamo.fail({ on: "GetItem", do: "cut" });
    expect(await rig.deliver(firing(account))).toMatchObject({ kind: "again" });
    expect(status()).toBe("active");
  });

  test("is slow: a throttled request that goes through at the third try costs nothing", async () => {
    rig.dynamo.fail({ on: "BatchGetItem", times: 2, ...THROTTLED });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    await expectOneCompleteStory();
  });

  test("is slow: every answer takes its time", async () => {
    rig.dynamo.fail({ do: "delay", milliseconds: 150 });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    await expectOneCompleteStory();
  });
});

describe("a store that fails in the middle", () => {
  /** How many requests an ordinary story makes of our store. */
  async function requestsOfAStory(): Promise<number> {
    const { accountSid } = rig.simulator.addSubaccount();
    rig.simulator.addCalls(accountSid, { calls: 2 });
    const before = rig.dynamo.requests().length;
    await rig.deliver(firing(accountSid));
    return rig.dynamo.requests().length - before;
  }

  test("from any of its requests on: the account is suspended, and one whole story is told in the end", async () => {
    const requests = await requestsOfAStory();
    expect(requests).toBeGreaterThan(10);
    for (let nth = 1; nth <= requests; nth++) {
      account = rig.simulator.addSubaccount().accountSid;
      rig.simulator.addCalls(account, { calls: 2 });
      const signal = firing(account);
      rig.dynamo.fail({ nth, do: "cut" });
      await rig.deliver(signal);
      // What cannot be written down must not undo or hold up the containment.
      expect(rig.simulator.account(account), `from ${nth} on`).toMatchObject({ status: "suspended", liveCalls: 0 });
      rig.mend();
      expect(await rig.deliver(signal, { attempt: 2 }), `from ${nth} on`).toEqual({ kind: "done" });
      await expectOneCompleteStory();
      expect(rig.suspensionRequests(account)).toBe(1);
    }
  });

  test.each(["opened", "suspended", "calls-ended", "published"])(
    "the line of the history that says %s is never missing: the head waits for it",
    async (step) => {
      rig.dynamo.fail({ on: ({ body }) => body.includes(`ENTRY#${step}`), do: "cut" });
      const signal = firing(account);
      expect(await rig.deliver(signal)).not.toEqual({ kind: "done" });
      rig.mend();
      expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
      await expectOneCompleteStory();
    },
  );

  test("a write whose answer is lost is found done, not done twice", async () => {
    rig.dynamo.fail({ on: "UpdateItem", times: 1, when: "after", do: "cut" });
    rig.dynamo.fail({ on: "PutItem", times: 3, when: "after", do: "cut" });
    const signal = firing(account);
    for (let attempt = 1; (await rig.deliver(signal, { attempt })).kind !== "done"; attempt++) {
      expect(attempt).toBeLessThan(5);
    }
    await expectOneCompleteStory();
  });
});

describe("the way to the suspend request", () => {
  /** The operations that the store was asked for before Twilio was asked to suspend. */
  async function tripsBeforeSuspension(act: () => Promise<unknown>): Promise<string[]> {
    const before: string[] = [];
    const begun = rig.dynamo.requests().length;
    const isSuspension = ({ method, path }: SeenRequest) => method === "POST" && path.endsWith(`${account}.json`);
    // What is written meanwhile, but for the brake's place, is not waited for.
    const isBeside = ({ operation = "", body }: SeenRequest) =>
      operation === "PutItem" || (operation === "UpdateItem" && !body.includes('{"S":"BRAKE"}'));
    rig.dynamo.fail({ on: isBeside, do: "hang" });
    rig.twilio.fail({
      on: isSuspension,
      times: 1,
      do: "call",
      hook: () =>
        before.push(
          ...rig.dynamo
            .requests()
            .slice(begun)
            .filter((request) => !isBeside(request))
            .map(({ operation }) => operation),
        ),
    });
    await act();
    expect(rig.twilio.requests().some(isSuspension)).toBe(true);
    return before;
  }

  test("of an account without an incident has two round trips to our store", async () => {
    expect(await tripsBeforeSuspension(() => rig.deliver(firing(account)))).toEqual(["BatchGetItem", "UpdateItem"]);
  });

  // While the first two are under way, Twilio is read.
  test("of an account with an open incident has three round trips to our store", async () => {
    await rig.deliver(firing(account), { policy: OBSERVE });
    expect(await tripsBeforeSuspension(() => rig.deliver(firing(account)))).toEqual([
      "BatchGetItem",
      "GetItem",
      "UpdateItem",
    ]);
    expect(status()).toBe("suspended");
  });
});

function unprocessed(): FaultRule {
  return {
    on: "BatchGetItem",
    do: "answer",
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({
      Responses: { tollbreaker: [] },
      UnprocessedKeys: { tollbreaker: { Keys: [{ pk: { S: "ACCOUNT#" }, sk: { S: "ACCOUNT" } }] } },
    }),
  };
}

async function setAccount(attributes: Record<string, string>): Promise<void> {
  const Item = { pk: `ACCOUNT#${account}`, sk: "ACCOUNT", ...attributes };
  await rig.table.send(new PutCommand({ TableName: rig.aws.tableName, Item }));
}
