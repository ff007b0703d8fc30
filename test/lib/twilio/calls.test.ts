import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endCall, fetchCall, isLive, isOver, LIVE_STATUSES, listLiveCalls } from "../../../lib/twilio/calls.ts";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { assertRequest } from "../../contract/twilio-openapi.ts";
import { quietSimulator } from "../../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

let simulator: TwilioSimulator;
let proxy: FaultProxy;
let twilio: TwilioClient;
let account: string;

beforeAll(async () => {
  simulator = await quietSimulator();
  proxy = await startFaultProxy(simulator.url);
  const { accountSid, authToken } = simulator.parent();
  twilio = twilioClient({ accountSid, authToken: async () => authToken, apiUrl: proxy.url });
});
afterAll(async () => {
  await proxy.close();
  await simulator.close();
});
beforeEach(() => {
  proxy.clear();
  account = simulator.addSubaccount().accountSid;
});

describe("listing", () => {
  test("finds the calls of one live status, whatever the page they are on", async () => {
    const ringing = simulator.addCalls(account, { calls: 1002, status: "ringing" });
    simulator.addCalls(account, { calls: 3, status: "queued" });
    simulator.addCalls(account, { calls: 2, status: "completed" });
    const list = await listLiveCalls(twilio, account, "ringing", 5000);
    if (list.kind === "failed") throw new Error(list.failure.message);
    expect(list.body.calls.map(({ sid }) => sid).toSorted()).toEqual(ringing.toSorted());
    expect(list.body.incomplete).toBeNull();
    expect(new Set(list.body.calls.map(({ status }) => status))).toEqual(new Set(["ringing"]));
  });

  test("asks as Twilio's own description of the API allows", async () => {
    for (const status of LIVE_STATUSES) await listLiveCalls(twilio, account, status, 5000);
    for (const { path } of proxy.requests().slice(-3)) assertRequest("GET", path.replace(/^\/api/, ""));
  });

  test("of which one page fails says that it is not whole: what was listed can be ended", async () => {
    simulator.addCalls(account, { calls: 1002 });
    proxy.fail({ on: ({ path }) => path.includes("Page=1"), do: "answer", status: 500, body: "{}" });
    const list = await listLiveCalls(twilio, account, "in-progress", 5000);
    expect(list).toMatchObject({ kind: "ok", body: { incomplete: { kind: "retryable", status: 500 } } });
    expect(list.kind === "ok" && list.body.calls).toHaveLength(1000);
  });

  test("without a first page there is none", async () => {
    proxy.fail({ do: "answer", status: 500, body: "{}" });
    expect(await listLiveCalls(twilio, account, "queued", 5000)).toMatchObject({ kind: "failed" });
  });

  test("does not take what is no call's SID into a path, and says that there is something", async () => {
    const sid = `CA${"1".repeat(32)}`;
    const body = JSON.stringify({ calls: [{ sid: "../../Accounts" }, { sid }, null], next_page_uri: null });
    proxy.fail({ do: "answer", status: 200, body });
    expect(await listLiveCalls(twilio, account, "queued", 5000)).toMatchObject({
      kind: "ok",
      body: {
        calls: [{ sid, status: "queued" }],
        incomplete: { message: "calls that could not be understood: 2" },
      },
    });
  });
});

test("one call, itself; not found once it is gone", async () => {
  const [sid = ""] = simulator.addCalls(account, { status: "ringing" });
  expect(await fetchCall(twilio, account, sid, 5000)).toMatchObject({ kind: "ok", body: { sid, status: "ringing" } });
  const gone = `CA${"0".repeat(32)}`;
  expect(await fetchCall(twilio, account, gone, 5000)).toMatchObject({ failure: { kind: "not-found", code: 20404 } });
});

test("every status that Twilio knows is live or over, and no other one is either", () => {
  const all = ["queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"];
  expect(all.filter(isLive)).toEqual(["queued", "ringing", "in-progress"]);
  expect(all.filter(isOver)).toEqual(["completed", "busy", "failed", "no-answer", "canceled"]);
  expect([isLive("on-hold"), isOver("on-hold")]).toEqual([false, false]);
});

describe("ending", () => {
  test.each([
    ["queued", "canceled"],
    ["ringing", "canceled"],
    ["in-progress", "completed"],
  ] as const)("a call that is %s: it is %s", async (status, ended) => {
    const [sid = ""] = simulator.addCalls(account, { status });
    expect(await endCall(twilio, account, { sid, status }, 5000)).toMatchObject({
      kind: "ok",
      body: { sid, status: ended },
    });
    const { path, body } = proxy.requests().at(-1) ?? { path: "", body: "" };
    expect(body).toBe(`Status=${ended}`);
    assertRequest("POST", path.replace(/^\/api/, ""), { Status: ended });
    expect(simulator.account(account).liveCalls).toBe(0);
  });

  test("a call that has ended already is a refusal, with Twilio's code", async () => {
    const [sid = ""] = simulator.addCalls(account, { status: "completed" });
    expect(await endCall(twilio, account, { sid, status: "in-progress" }, 5000)).toMatchObject({
      kind: "failed",
      failure: { kind: "retryable", code: 21220 },
    });
  });
});
