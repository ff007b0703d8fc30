import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ahead, MINUTE, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";

// What Twilio's list of accounts says of one account, or does not say of the last page, holds up no other account.

let rig: SweepRig;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-10-04T12:00:00.000Z"), shouldAdvanceTime: true });
  rig = await startSweepRig();
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

const DAY = 24 * 60 * MINUTE;
const ODD = `AC${"9".repeat(32)}`;
const isListing = ({ path }: { path: string }) => path.includes("/Accounts.json");
const rows = () =>
  [rig.simulator.parent(), ...rig.simulator.subaccounts()].map(({ accountSid }) => ({
    sid: accountSid,
    owner_account_sid: rig.simulator.parent().accountSid,
    friendly_name: "one",
    status: "active",
  }));

/** The first page; the others are Twilio's own, or as another rule answers. */
function firstPage(page: object): void {
  rig.twilio.fail({ on: isListing, times: 1, do: "answer", status: 200, body: JSON.stringify(page) });
}

/** At the next sweep, so much later. */
const sweepAt = (milliseconds: number) => rig.sweep({ clock: ahead(milliseconds) });

test("an account of an unknown status: all others are swept, and people are told once a day", async () => {
  const odd = { ...rows()[1], sid: ODD, status: "frozen" };
  const page = { accounts: [...rows(), odd, { friendly_name: "no SID" }], next_page_uri: null };
  const found: string[][] = [];
  for (const later of [0, 5 * MINUTE, 10 * MINUTE, DAY]) {
    rig.twilio.clear();
    firstPage(page);
    expect((await sweepAt(later)).counts).toMatchObject({ accounts: 3, armed: 3, unread: 0 });
    expect(rig.metrics()).toMatchObject({ AccountsSetAside: 2, SweepCompleted: 1 });
    const notices = await rig.notices();
    found.push(notices.map(({ kind }) => kind).filter((kind) => kind !== "armed"));
    if (later !== 0) continue;
    const told = notices.find(({ kind }) => kind === "accounts-set-aside");
    expect(told).toMatchObject({ severity: "critical", subject: expect.stringContaining("2 subaccounts") });
    expect(told?.text).toContain(`${ODD}: Twilio shows a status that we do not know: "frozen"`);
    expect(told?.text).toContain("one without a SID: it lacks");
  }
  expect(found).toEqual([["accounts-set-aside"], [], [], ["accounts-set-aside"]]);
});

test.each([
  ["refused", 400, JSON.stringify({ code: 70002, message: "Invalid page", status: 400 })],
  ["a page of a proxy", 403, "<html>"],
  ["out of order", 503, ""],
])("a last page that is %s: what was listed is swept, and people are told once a day", async (_, status, body) => {
  await sweepAt(0);
  await rig.notices();
  rig.metrics();
  const found: string[][] = [];
  for (const later of [5 * MINUTE, 10 * MINUTE, DAY]) {
    rig.twilio.clear();
    firstPage({ accounts: rows().slice(0, 3), next_page_uri: "/2010-04-01/Accounts.json?Page=1&PageSize=1000" });
    rig.twilio.fail({ on: ({ path }) => path.includes("Page=1&"), do: "answer", status, body });
    expect((await sweepAt(later)).counts).toMatchObject({ accounts: 2, armed: 2, arrived: 0, drifted: 0 });
    expect(rig.metrics()).toMatchObject({ AccountsSetAside: 0, SweepCompleted: 1 });
    const notices = await rig.notices();
    found.push(notices.map(({ kind }) => kind));
    expect(notices.every(({ text }) => text.includes(`HTTP ${status}`))).toBe(true);
  }
  expect(found).toEqual([["list-incomplete"], [], ["list-incomplete"]]);
  // Who was on the missing page is no new account, nor one that is gone.
  rig.twilio.clear();
  expect((await sweepAt(DAY + 5 * MINUTE)).counts).toMatchObject({ accounts: 3, armed: 3, arrived: 0, drifted: 0 });
  expect(await rig.notices()).toEqual([]);
});

test("a topic that fails holds up no sweep, and people are told by the next one", async () => {
  firstPage({ accounts: [...rows(), { sid: ODD }], next_page_uri: null });
  const alerts = { publish: () => Promise.reject(new Error("out")) };
  expect(await rig.start({ alerts })).toMatchObject({ kind: "started", accounts: 3 });
  await rig.shards();
  expect((await rig.notices()).map(({ kind }) => kind)).toEqual([]);
  rig.twilio.clear();
  firstPage({ accounts: [...rows(), { sid: ODD }], next_page_uri: null });
  expect(await rig.start({ clock: ahead(20 * MINUTE) })).toMatchObject({ kind: "started" });
  expect((await rig.notices()).map(({ kind }) => kind)).toEqual(["accounts-set-aside"]);
});
