import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { NOON } from "../support/shifted-date.ts";
import { firing } from "../support/signals.ts";

// Incidents are watched by the list of accounts and our own table; whatever Twilio says of usage triggers stops nobody.

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

const countsAfter = async (minutes: number) => (await rig.sweep({ clock: ahead(minutes * MINUTE) })).counts;
const remindedAt = async (...minutes: number[]) => {
  const counts: number[] = [];
  for (const minute of minutes) counts.push((await countsAfter(minute)).reminded);
  return counts;
};

/** Whatever is asked about its usage triggers. */
function refuseTriggers(status: number, code: number): void {
  const body = JSON.stringify({ code, message: "no", status });
  rig.twilio.fail({ on: ({ path }) => path.includes(`${account}/Usage/Triggers`), do: "answer", status, body });
}

describe("an account whose usage triggers can't be read", () => {
  // What Twilio answers about a suspended account is not documented.
  test.each([
    { status: 401, code: 20003 },
    { status: 403, code: 20403 },
  ])("for it is suspended ($status): watched all the same, and not missing", async ({ status, code }) => {
    await rig.deliver(firing(account), { policy: POLICY });
    refuseTriggers(status, code);
    expect(await countsAfter(31)).toMatchObject({
      accounts: 3,
      suspended: 1,
      open: 1,
      reminded: 1,
      unread: 0,
      armed: 2,
    });
    expect(await remindedAt(125, 1445)).toEqual([1, 1]);
  });

  test("set active past us: found", async () => {
    await rig.deliver(firing(account), { policy: POLICY });
    refuseTriggers(403, 20403);
    rig.simulator.setStatus(account, "active");
    expect(await countsAfter(5)).toMatchObject({ tampered: 1, unread: 1, open: 1 });
    expect((await rig.inboxOf(account)).map(({ kind }) => kind)).toEqual(["tampered"]);
  });

  test("a 500: what nobody is at is driven on, and the account comes again", async () => {
    rig.sns.fail({ do: "cut" });
    await rig.deliver(firing(account), { policy: POLICY });
    rig.mend();
    refuseTriggers(500, 20500);
    expect(await countsAfter(3)).toMatchObject({ driven: 1, unread: 1 });
    expect((await rig.inboxOf(account)).map(({ kind }) => kind)).toEqual(["drive"]);
  });

  test("suspended, and Twilio does not answer as it would for that: it is missing", async () => {
    rig.simulator.setStatus(account, "suspended");
    refuseTriggers(500, 20500);
    expect(await countsAfter(5)).toMatchObject({ suspended: 1, unread: 1 });
  });
});

describe("incidents of accounts that are not swept", () => {
  test("the parent: people are reminded, and what nobody is at is driven on", async () => {
    const { accountSid: parent } = rig.simulator.parent();
    rig.sns.fail({ do: "cut" });
    await rig.deliver(firing(parent), { policy: POLICY });
    rig.mend();
    rig.simulator.resetRequests();
    expect(await countsAfter(3)).toMatchObject({ accounts: 3, open: 1, driven: 1, reminded: 0 });
    const [drive] = await rig.inboxOf(parent);
    expect(drive?.kind).toBe("drive");
    if (drive !== undefined) expect(await rig.deliver(drive, { policy: POLICY })).toEqual({ kind: "done" });
    expect(await remindedAt(31, 125, 1445)).toEqual([1, 1, 1]);
    // Nobody reads its usage triggers, let alone makes some.
    const paths = rig.simulator.requests().map(({ path }) => path);
    expect(paths.some((path) => path.includes(`${parent}/Usage/Triggers`))).toBe(false);
    expect(rig.simulator.account(parent).status).toBe("active");
  });

  test("one that was closed meanwhile: people are reminded until they dismiss it", async () => {
    await rig.deliver(firing(account), { policy: POLICY });
    rig.simulator.setStatus(account, "closed");
    expect(await countsAfter(31)).toMatchObject({ accounts: 2, open: 1, reminded: 1, tampered: 0, suspended: 0 });
    expect((await rig.inboxOf(account)).map(({ kind }) => kind)).toEqual(["remind"]);
  });

  test("a parent without subaccounts has a sweep as well", async () => {
    for (const { accountSid } of rig.simulator.subaccounts()) rig.simulator.setStatus(accountSid, "closed");
    rig.metrics();
    expect((await rig.sweep()).finishedAt).not.toBeNull();
    expect(rig.metrics()).toMatchObject({ SweepCompleted: 1, SweepAccounts: 0 });
  });
});
