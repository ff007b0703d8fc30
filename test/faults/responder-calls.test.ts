import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SeenRequest } from "../support/fault-proxy.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// In-progress calls survive a suspension: each must be ended, whatever happens meanwhile.

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

const liveCalls = () => rig.simulator.account(account).liveCalls;
const containment = async () => (await rig.incidentsOf(account))[0]?.incident.containment;
const isEnding = ({ method, path }: SeenRequest) => method === "POST" && path.includes(`${account}/Calls/`);
const isListing = ({ method, path }: SeenRequest) => method === "GET" && path.includes(`${account}/Calls.json`);
const endingOf = (callSid: string | undefined) => (request: SeenRequest) =>
  isEnding(request) && request.path.endsWith(`${callSid}.json`);
const formsSent = () =>
  rig.simulator
    .requests()
    .filter(({ method, path }) => method === "POST" && path.includes(`${account}/Calls/`))
    .map(({ form }) => form["Status"]);

describe("live calls", () => {
  test("are canceled before they are answered, and completed after", async () => {
    rig.simulator.addCalls(account, { status: "queued" });
    rig.simulator.addCalls(account, { status: "ringing", calls: 2 });
    rig.simulator.addCalls(account, { status: "in-progress", calls: 3 });
    rig.simulator.addCalls(account, { status: "completed" });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 6, callsLeft: 0 });
    expect(formsSent().sort()).toEqual([...Array(3).fill("canceled"), ...Array(3).fill("completed")]);
  });

  test("are ended on all pages", async () => {
    rig.simulator.addCalls(account, { calls: 1001, status: "in-progress" });
    rig.simulator.addCalls(account, { calls: 30, status: "ringing" });
    expect(await rig.deliver(firing(account), { milliseconds: 100_000 })).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 1031, callsLeft: 0 });
  });

  test("that are answered after they were listed are ended all the same, and count once", async () => {
    const [call] = rig.simulator.addCalls(account, { status: "ringing" });
    rig.simulator.addCalls(account, { status: "in-progress" });
    // Canceling "will not affect calls already in progress": Twilio answers 200, and the call goes on.
    const answered = { sid: call, status: "in-progress" };
    rig.twilio.fail({ on: endingOf(call), times: 1, do: "answer", status: 200, body: JSON.stringify(answered) });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 2, callsLeft: 0 });
  });

  test.each(["queued", "ringing"] as const)(
    "that were %s when they were listed, and are in progress by now, are completed at once",
    async (status) => {
      const sids = rig.simulator.addCalls(account, { status: "in-progress", calls: 3 });
      // The lists say what was.
      const listing = (calls: readonly string[]) => JSON.stringify({ calls: calls.map((sid) => ({ sid })) });
      const listsAs = (wanted: string, calls: readonly string[]) =>
        rig.twilio.fail({
          on: (request) => isListing(request) && request.path.includes(`Status=${wanted}`),
          times: 1,
          do: "answer",
          status: 200,
          body: listing(calls),
        });
      listsAs(status, sids);
      listsAs("in-progress", []);
      expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
      expect(liveCalls()).toBe(0);
      expect(await containment()).toMatchObject({ callsEnded: 3, callsLeft: 0 });
      expect(formsSent().sort()).toEqual([...Array(3).fill("canceled"), ...Array(3).fill("completed")]);
    },
  );

  test("that Twilio does not let be canceled, because they are in progress by now, are completed at once", async () => {
    const [call] = rig.simulator.addCalls(account, { status: "ringing" });
    const body = JSON.stringify({ code: 21220, message: "Call is not in-progress", status: 400 });
    rig.twilio.fail({
      on: (request) => endingOf(call)(request) && request.body === "Status=canceled",
      do: "answer",
      status: 400,
      body,
    });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 1, callsLeft: 0 });
  });

  test.each([
    ["it was deleted", { status: 404, body: JSON.stringify({ code: 20404, message: "no", status: 404 }) }],
    ["it had ended", { status: 400, body: JSON.stringify({ code: 21220, message: "no", status: 400 }) }],
  ])("that are gone are not left, though the list goes on showing them: %s", async (_, answer) => {
    const [gone = ""] = rig.simulator.addCalls(account, { status: "completed" });
    rig.simulator.addCalls(account, { status: "in-progress", calls: 2 });
    const listing = JSON.stringify({ calls: [{ sid: gone }], next_page_uri: null });
    rig.twilio.fail({
      on: (request) => isListing(request) && request.path.includes("Status=ringing"),
      do: "answer",
      status: 200,
      body: listing,
    });
    rig.twilio.fail({ on: endingOf(gone), do: "answer", ...answer });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(await containment()).toMatchObject({ callsEnded: 2, callsLeft: 0 });
    expect((await rig.alertsOf(account))[0]?.headline).not.toContain("live");
  });

  test("that Twilio says are over and are not, are found out by the call itself", async () => {
    const [undead = ""] = rig.simulator.addCalls(account, { status: "in-progress", calls: 2 });
    const over = JSON.stringify({ sid: undead, status: "completed" });
    rig.twilio.fail({ on: endingOf(undead), times: 2, do: "answer", status: 200, body: over });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 2, callsLeft: 0 });
  });

  test("that end by themselves meanwhile are not counted as ended by us", async () => {
    const [call] = rig.simulator.addCalls(account, { status: "in-progress", calls: 3 });
    const credentials = rig.simulator.parent();
    const hangUp = () =>
      fetch(`${rig.simulator.url}/api/2010-04-01/Accounts/${account}/Calls/${call}.json`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${credentials.accountSid}:${credentials.authToken}`)}` },
        body: new URLSearchParams({ Status: "completed" }),
      });
    rig.twilio.fail({ on: endingOf(call), times: 1, do: "call", hook: hangUp });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(await containment()).toMatchObject({ callsEnded: 2, callsLeft: 0 });
  });

  test("that appear while others are ended are ended too", async () => {
    rig.simulator.addCalls(account, { calls: 2 });
    const more = () => rig.simulator.addCalls(account, { calls: 2, status: "ringing" });
    rig.twilio.fail({ on: isEnding, times: 1, do: "call", hook: more });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 4, callsLeft: 0 });
  });
});

describe("when Twilio fails", () => {
  test("429 in the middle, to listing and to ending, only delays", async () => {
    rig.simulator.addCalls(account, { calls: 20 });
    const tooMany = { kind: "status", status: 429 } as const;
    rig.simulator.addFault({ method: "GET", path: `${account}/Calls`, effect: tooMany, times: 2 });
    rig.simulator.addFault({ method: "POST", path: `${account}/Calls`, effect: tooMany, times: 12 });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect(await containment()).toMatchObject({ callsEnded: 20, callsLeft: 0 });
  });

  test("a cut connection after the call was ended counts only what Twilio confirmed, and leaves none", async () => {
    rig.simulator.addCalls(account, { calls: 3 });
    rig.twilio.fail({ on: isEnding, times: 1, when: "after", do: "cut" });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(liveCalls()).toBe(0);
    expect((await containment())?.callsLeft).toBe(0);
  });

  test("one call that Twilio refuses to end does not keep the others, nor the alert; the next delivery ends it", async () => {
    const [stubborn] = rig.simulator.addCalls(account, { calls: 5 });
    const refusal = JSON.stringify({ code: 20001, message: "not now" });
    rig.twilio.fail({ on: endingOf(stubborn), do: "answer", status: 400, body: refusal });
    const signal = firing(account);

    expect(await rig.deliver(signal)).toEqual({ kind: "again", why: "calls left: 1" });
    expect(liveCalls()).toBe(1);
    expect(await containment()).toMatchObject({ callsEnded: 4, callsLeft: 1 });
    expect(await rig.alertsOf(account)).toHaveLength(1);

    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await containment()).toMatchObject({ callsEnded: 5, callsLeft: 0 });
    const [recorded] = await rig.incidentsOf(account);
    const lines = recorded?.timeline.filter(({ what }) => what === "calls-ended") ?? [];
    expect(lines.map(({ detail }) => detail)).toEqual([
      { ended: 4, left: 1 },
      { ended: 1, left: 0 },
    ]);
    expect(lines[0]?.why).toBe("Twilio error 20001 (HTTP 400): not now");
    // The first one said that a call is live.
    expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["suspended", "calls-ended"]);
  });

  test("when the time is over, the next deliveries end the rest, and the counts add up", async () => {
    rig.simulator.addCalls(account, { calls: 60 });
    rig.twilio.fail({ on: isEnding, nth: 21, do: "hang" });
    const signal = firing(account);
    const first = await rig.deliver(signal, { milliseconds: 4000 });
    expect(first).toMatchObject({ kind: "again", why: expect.stringMatching(/^calls left: 40/) });
    expect(await containment()).toMatchObject({ callsEnded: 20, callsLeft: 40 });

    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await containment()).toMatchObject({ callsEnded: 60, callsLeft: 0 });
  });

  test("an answer alone ends no call: one that Twilio says it ends and does not is left, and counts once it is gone", async () => {
    const [undead = ""] = rig.simulator.addCalls(account, { calls: 3 });
    const ending = JSON.stringify({ sid: undead, status: "in-progress" });
    rig.twilio.fail({ on: endingOf(undead), do: "answer", status: 200, body: ending });
    const signal = firing(account);
    expect(await rig.deliver(signal, { milliseconds: 1200 })).toEqual({ kind: "again", why: "calls left: 1" });
    expect(await containment()).toMatchObject({ callsEnded: 2, callsLeft: 1 });
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await containment()).toMatchObject({ callsEnded: 3, callsLeft: 0 });
  });

  test("a page that can't be listed keeps no call alive that could be", async () => {
    const sids = rig.simulator.addCalls(account, { calls: 2 });
    const next = `/2010-04-01/Accounts/${account}/Calls.json?Status=in-progress&Page=1`;
    const page = JSON.stringify({ calls: sids.map((sid) => ({ sid })), next_page_uri: next });
    const on = (request: SeenRequest) => isListing(request) && request.path.includes("Status=in-progress");
    rig.twilio.fail({ on: (request) => on(request) && request.path.includes("Page=1"), do: "answer", status: 403 });
    rig.twilio.fail({ on, do: "answer", status: 200, body: page });
    expect(await rig.deliver(firing(account), { milliseconds: 4000 })).toEqual({
      kind: "again",
      why: "calls left: unknown",
    });
    expect(liveCalls()).toBe(0);
  });

  test.each(["queued", "ringing", "in-progress"])(
    "calls that are %s can't be listed: the others are ended",
    async (status) => {
      for (const one of ["queued", "ringing", "in-progress"] as const) rig.simulator.addCalls(account, { status: one });
      rig.twilio.fail({
        on: ({ path }) => path.includes(`Status=${status}`),
        do: "answer",
        status: 403,
        body: "<html>",
      });
      const signal = firing(account);
      expect(await rig.deliver(signal, { milliseconds: 4000 })).toEqual({ kind: "again", why: "calls left: unknown" });
      expect(liveCalls()).toBe(1);
      rig.mend();
      expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
      expect(liveCalls()).toBe(0);
    },
  );

  test("calls that cannot be listed are unknown, not none", async () => {
    rig.simulator.addCalls(account, { calls: 2 });
    rig.twilio.fail({ on: isListing, do: "answer", status: 500, body: "{}" });
    const signal = firing(account);
    expect(await rig.deliver(signal, { milliseconds: 1500 })).toEqual({ kind: "again", why: "calls left: unknown" });
    expect(await containment()).toMatchObject({ callsEnded: 0, callsLeft: null });
    const [alert] = await rig.alertsOf(account);
    expect(alert?.headline).toContain("calls may still be live");
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await containment()).toMatchObject({ callsEnded: 2, callsLeft: 0 });
  });

  test("a Twilio that stops answering keeps neither the record nor the alert", async () => {
    rig.simulator.addCalls(account, { calls: 2 });
    rig.twilio.fail({ on: isEnding, do: "hang" });
    const begun = Date.now();
    const delivered = await rig.deliver(firing(account), { milliseconds: 6000 });
    expect(delivered).toEqual({ kind: "again", why: "calls left: 2" });
    expect(Date.now() - begun).toBeLessThan(15_000);
    expect(await rig.alertsOf(account)).toHaveLength(1);
  });
});
