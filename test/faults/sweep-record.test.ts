import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { dismiss } from "../support/commands.ts";
import { NOON } from "../support/shifted-date.ts";
import { firing } from "../support/signals.ts";

// The sweep compares what Twilio lists with the record, in both directions, and forgets no incident.

let rig: SweepRig;
let account: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON, shouldAdvanceTime: true });
  rig = await startSweepRig();
  await rig.sweep();
  account = rig.simulator.subaccounts()[0]?.accountSid ?? "";
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

let handedOut = 0;
/** A sweep so many minutes later, and what it asked the responder for, handed out. @returns its kinds */
async function sweep(minutes: number): Promise<string[]> {
  await rig.sweep({ clock: ahead(minutes * MINUTE) });
  const nudges = (await rig.inboxOf(account)).slice(handedOut);
  handedOut += nudges.length;
  for (const nudge of nudges) expect(await rig.deliver(nudge, { policy: POLICY })).toEqual({ kind: "done" });
  return nudges.map(({ kind }) => kind);
}
beforeEach(() => {
  handedOut = 0;
});
const told = async () => (await rig.alertsOf(account)).map(({ about }) => about);
const states = async () => (await rig.incidentsOf(account)).map(({ incident }) => incident.state);

describe("an account that is suspended past us", () => {
  test("gets an incident, and is told of once", async () => {
    rig.simulator.setStatus(account, "suspended");
    expect([await sweep(5), await sweep(10)]).toEqual([["found-suspended"], []]);
    expect([await states(), await told()]).toEqual([["suspended"], ["suspended"]]);
  });

  test("and whose suspension was never written down, because our table was out and the message is lost, too", async () => {
    rig.dynamo.fail({ do: "cut" });
    await rig.deliver(firing(account), { policy: POLICY });
    rig.mend();
    expect(rig.simulator.account(account).status).toBe("suspended");
    expect(await states()).toEqual([]);
    await sweep(5);
    expect([await states(), await told()]).toEqual([["suspended"], ["suspended"]]);
  });

  test("before the first sweep that saw it is left alone, until it was active", async () => {
    account = rig.simulator.addSubaccount().accountSid;
    rig.simulator.setStatus(account, "suspended");
    expect([await sweep(5), await sweep(10)]).toEqual([[], []]);
    rig.simulator.setStatus(account, "active");
    await sweep(15);
    rig.simulator.setStatus(account, "suspended");
    expect(await sweep(20)).toEqual(["found-suspended"]);
  });
});

describe("an account that Twilio lists no more", () => {
  function hide(): void {
    const parent = rig.simulator.parent().accountSid;
    const others = rig.simulator.subaccounts().filter(({ accountSid }) => accountSid !== account);
    const accounts = others.map(({ accountSid }) => ({
      ...{ sid: accountSid, owner_account_sid: parent, friendly_name: "another", status: "active" },
    }));
    const body = JSON.stringify({ accounts, next_page_uri: null });
    rig.twilio.fail({ on: ({ path }) => path.includes("/Accounts.json"), do: "answer", status: 200, body });
  }

  test("and whose incident waits for a person: people are reminded", async () => {
    await rig.deliver(firing(account), { policy: POLICY });
    hide();
    expect(await sweep(31)).toEqual(["remind"]);
  });

  test("and whose incident is over, but not told: its alerts are sent", async () => {
    const policy = { ...POLICY, mode: "observe" } as const;
    await rig.deliver(firing(account), { policy });
    const [recorded] = await rig.incidentsOf(account);
    if (recorded === undefined) throw new Error("there is no incident");
    rig.sns.fail({ do: "cut" });
    await rig.deliver(dismiss(recorded.incident), { policy });
    rig.followUps.splice(0);
    rig.mend();
    hide();
    expect(await sweep(5)).toEqual(["drive"]);
    expect(await told()).toEqual(["alerted", "dismissed"]);
    expect(await sweep(15)).toEqual([]);
  });
});
