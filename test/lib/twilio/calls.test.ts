import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endCall, LIVE_STATUSES, listLiveCalls } from "../../../lib/twilio/calls.ts";
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
    expect(list.body.map(({ sid }) => sid).toSorted()).toEqual(ringing.toSorted());
    expect(new Set(list.body.map(({ status }) => status))).toEqual(new Set(["ringing"]));
  });

  test("asks as Twilio's own description of the API allows", async () => {
    for (const status of LIVE_STATUSES) await listLiveCalls(twilio, account, status, 5000);
    for (const { path } of proxy.requests().slice(-3)) assertRequest("GET", path.replace(/^\/api/, ""));
  });

  test("of which one page fails is failed as a whole: a part would look like all", async () => {
    simulator.addCalls(account, { calls: 1002 });
    proxy.fail({ on: ({ path }) => path.includes("Page=1"), do: "answer", status: 500, body: "{}" });
    expect(await listLiveCalls(twilio, account, "in-progress", 5000)).toMatchObject({
      kind: "failed",
      failure: { kind: "retryable" },
    });
  });

  test("does not take what is no call's SID into a path", async () => {
    const body = JSON.stringify({ calls: [{ sid: "../../Accounts" }], next_page_uri: null });
    proxy.fail({ do: "answer", status: 200, body });
    expect(await listLiveCalls(twilio, account, "queued", 5000)).toMatchObject({ kind: "failed" });
  });
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
