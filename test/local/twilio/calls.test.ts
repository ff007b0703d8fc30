import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { CALL_STATUSES, type CallStatus } from "../../../local/twilio/state.ts";
import { accountPath, apiOf, quietSimulator, subaccount } from "./api.ts";

let simulator: TwilioSimulator;
let sid: string;
beforeEach(async () => {
  simulator = await quietSimulator();
  sid = subaccount(simulator).accountSid;
});
afterEach(() => simulator.close());

async function endAs(status: "completed" | "canceled", was: CallStatus) {
  const [call] = simulator.addCalls(sid, { status: was });
  return apiOf(simulator).post(accountPath(sid, `/Calls/${call}`), { Status: status });
}

describe("ending a call", () => {
  const outcomes = [
    { was: "in-progress", as: "completed", becomes: "completed" },
    { was: "ringing", as: "completed", becomes: "canceled" },
    { was: "queued", as: "completed", becomes: "canceled" },
    { was: "queued", as: "canceled", becomes: "canceled" },
    { was: "ringing", as: "canceled", becomes: "canceled" },
    { was: "in-progress", as: "canceled", becomes: "in-progress" },
  ] as const;
  for (const { was, as, becomes } of outcomes) {
    it(`as ${as} while it is ${was} leaves it ${becomes}`, async () => {
      expect(await endAs(as, was)).toMatchObject({ status: 200, body: { status: becomes } });
    });
  }

  for (const was of CALL_STATUSES.slice(3)) {
    it(`that is ${was} is refused with 21220`, async () => {
      expect(await endAs("completed", was)).toMatchObject({ status: 400, body: { code: 21220 } });
    });
  }

  it("works with the parent's credentials on a suspended account", async () => {
    simulator.setStatus(sid, "suspended");
    expect((await endAs("completed", "in-progress")).body).toMatchObject({ status: "completed" });
  });

  it("is refused for another status, another account's call and one that is not there", async () => {
    const [call] = simulator.addCalls(sid, {});
    const other = subaccount(simulator, 1).accountSid;
    const end = (path: string, Status: string) => apiOf(simulator).post(path, { Status });
    expect((await end(accountPath(sid, `/Calls/${call}`), "in-progress")).status).toBe(400);
    expect((await end(accountPath(other, `/Calls/${call}`), "completed")).body.code).toBe(20404);
    expect((await end(accountPath(sid, `/Calls/CA${"0".repeat(32)}`), "completed")).body.code).toBe(20404);
  });
});

it("the list is filtered by status and skips no call while its calls are ended page by page", async () => {
  simulator.addCalls(sid, { calls: 5 });
  simulator.addCalls(sid, { calls: 2, status: "ringing" });
  let next: string | null = `${accountPath(sid, "/Calls")}?Status=in-progress&PageSize=2`;
  let ended = 0;
  while (next !== null) {
    const { body } = await apiOf(simulator).get(next);
    for (const call of body.calls) {
      await apiOf(simulator).post(accountPath(sid, `/Calls/${call.sid}`), { Status: "completed" });
      ended += 1;
    }
    next = body.next_page_uri;
  }
  expect(ended).toBe(5);
  expect(simulator.account(sid).liveCalls).toBe(2);
});

it("a call is fetched, and listed by its number", async () => {
  const [call] = simulator.addCalls(sid, { to: "+37190000042" });
  expect((await apiOf(simulator).get(accountPath(sid, `/Calls/${call}`))).body.sid).toBe(call);
  const listed = await apiOf(simulator).get(`${accountPath(sid, "/Calls")}?To=%2B37190000042`);
  expect(listed.body.calls).toMatchObject([{ sid: call, to: "+37190000042" }]);
});
