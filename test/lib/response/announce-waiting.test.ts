import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../../../lib/clock.ts";
import type { BrakeAlertToPublish, BrakeAnnouncement } from "../../../lib/response/announce-waiting.ts";
import type { BrakeKeeper } from "../../../lib/response/keep-brake.ts";
import { accounts, type BrakeWorkers, brakeWorkers, incidentOf, sids } from "./brake-workers.ts";

const BEGIN = Date.parse("2026-11-21T03:00:00.000Z");
const MINUTE = 60_000;

let rig: BrakeWorkers;
let now: number;
/** What happens while somebody sleeps, once each. */
let meanwhile: (() => Promise<void>)[];
/** How long somebody slept to gather those that trip together; not what two writers wait for one another. */
let slept: number[];
beforeAll(async () => {
  rig = await brakeWorkers();
});
afterAll(() => rig.close());
beforeEach(async () => {
  await rig.begin();
  now = BEGIN;
  meanwhile = [];
  slept = [];
});

const clock: Clock = {
  now: () => new Date(now),
  async sleep(milliseconds) {
    if (milliseconds < 1000) return;
    slept.push(milliseconds);
    now += milliseconds;
    await meanwhile.shift()?.();
  },
};

const keeper = (): BrakeKeeper => rig.worker(clock);
async function wait(all: readonly string[]): Promise<void> {
  await rig.hold(all, now + 1);
  now += all.length;
}
/** As long as a delivery has. */
const until = (milliseconds = 22_500) => ({ clock, deadline: now + milliseconds });
const look = (account: string, milliseconds?: number) =>
  keeper().announce(account, incidentOf(account), until(milliseconds));

async function tells(account: string): Promise<BrakeAlertToPublish> {
  const announcement = await look(account);
  if (announcement.kind !== "tell") throw new Error(`${account}: ${JSON.stringify(announcement)}`);
  return announcement;
}
async function publishes(account: string): Promise<string[]> {
  const alert = await tells(account);
  await alert.settle(true);
  return sids(alert.accounts);
}
const ELSEWHERE: BrakeAnnouncement = { kind: "told-elsewhere" };
const all = accounts(40);
const [first = "", second = "", third = ""] = all;

describe("the first alert", () => {
  test("names all that wait, once; the others are told of", async () => {
    await wait(all.slice(0, 12));
    expect(await publishes(all[7] ?? "")).toEqual(all.slice(0, 12));
    for (const account of all.slice(0, 12)) if (account !== all[7]) expect(await look(account)).toEqual(ELSEWHERE);
    expect(slept).toEqual([2000]);
  });

  test("waits until no more came for two seconds", async () => {
    await wait([first]);
    meanwhile = [() => wait([second]), () => wait([third]), async () => {}, () => wait(["AC too late"])];
    expect(await publishes(first)).toEqual([first, second, third]);
    expect(slept).toEqual([2000, 2000, 2000]);
  });

  test("waits no longer than 15 seconds, however many come", async () => {
    await wait([first]);
    meanwhile = accounts(30)
      .slice(1)
      .map((account) => () => wait([account]));
    const alert = await tells(first);
    expect(now - BEGIN).toBeLessThanOrEqual(15_000);
    expect(alert.accounts).toHaveLength(1 + slept.length);
  });

  test("is left to somebody who has the time to make it; who runs out of it names those that came so far", async () => {
    await wait([first]);
    expect(await look(first, 7999)).toEqual({ kind: "later", ms: 0 });
    meanwhile = accounts(30)
      .slice(1)
      .map((account) => () => wait([account]));
    const announcement = await look(first, 12_000);
    expect(slept.length).toBe(2);
    expect(announcement).toMatchObject({ kind: "tell", accounts: { length: 3 } });
  });

  test("tells who has waited longest first", async () => {
    await wait(all.toReversed());
    const { accounts: named } = await tells(first);
    expect(named.map(({ accountSid }) => accountSid)).toEqual(all.toReversed());
  });

  test("of 1,200 is one, and all of them know", async () => {
    await wait(accounts(1200));
    const alert = await tells(first);
    expect(alert.accounts).toHaveLength(1200);
    await alert.settle(true);
    const told = (await rig.waiting()).filter(({ namedBy }) => namedBy === incidentOf(first));
    expect(told).toHaveLength(1200);
    // What all share does not grow with them.
    expect(JSON.stringify(await rig.state()).length).toBeLessThan(1000);
  });
});

describe("nobody who waits is lost", () => {
  test("only one makes the alert, however many look at the same time; the others look again", async () => {
    await wait(all.slice(0, 10));
    const looks = await Promise.all(all.slice(0, 10).map((account) => look(account)));
    expect(looks.filter(({ kind }) => kind === "tell")).toHaveLength(1);
    for (const one of looks) if (one.kind !== "tell") expect(one).toEqual({ kind: "later", ms: expect.any(Number) });
  });

  test("an alert that SNS did not take tells of nobody: the next to look makes it", async () => {
    await wait([first, second]);
    await (await tells(first)).settle(false);
    expect((await rig.waiting()).map(({ namedBy }) => namedBy)).toEqual([null, null]);
    expect(await publishes(second)).toEqual([first, second]);
    expect(await look(first)).toEqual(ELSEWHERE);
  });

  test("one whose maker died is made by another, half a minute later", async () => {
    await wait([first, second]);
    await tells(first);
    const { kind, ms } = { ms: 0, ...(await look(second)) };
    expect(kind).toBe("later");
    expect(ms).toBeLessThanOrEqual(10_000);
    now += 30_000;
    expect(await publishes(second)).toEqual([first, second]);
    expect(await look(first)).toEqual(ELSEWHERE);
  });

  test("one whose maker waits no more, because a person suspended it, tells of the others", async () => {
    await wait([first, second]);
    await (await tells(first)).settle(false);
    await keeper().strikeOff(first);
    expect(await publishes(second)).toEqual([second]);
  });

  test("cut after it was published, it is the same alert once more; who came since is in the next", async () => {
    await wait([first, second]);
    const alert = await tells(first);
    rig.table.proxy.fail({ on: ({ body }) => body.includes("namedBy"), do: "cut" });
    await expect(alert.settle(true)).rejects.toThrow();
    rig.table.proxy.clear();
    await wait([third]);
    expect(await publishes(first)).toEqual([first, second]);
    expect(await look(second)).toEqual(ELSEWHERE);
    expect(await look(third)).toMatchObject({ kind: "later" });
    // And once another was published, too.
    now += 10 * MINUTE;
    expect(await publishes(third)).toEqual([third]);
    expect(sids((await tells(first)).accounts)).toEqual([first, second]);
  });

  test("one that could not be put on the list when it was held is on it, and is named", async () => {
    expect(await publishes(first)).toEqual([first]);
    expect(await rig.waiting()).toMatchObject([{ accountSid: first, incidentId: incidentOf(first) }]);
    // With another incident it waits anew.
    now += 10 * MINUTE;
    const alert = await keeper().announce(first, "a later incident", until());
    expect(alert).toMatchObject({ kind: "tell", accounts: [{ incidentId: "a later incident", namedBy: null }] });
  });

  test("what cannot be given up is free in half a minute all the same", async () => {
    await wait([first, second]);
    const alert = await tells(first);
    rig.table.proxy.fail({ do: "cut" });
    await alert.settle(false);
    expect(rig.logged()).toEqual([expect.stringContaining("brake-alert-not-given-up")]);
    rig.table.proxy.clear();
    now += 30_000;
    expect(await publishes(second)).toEqual([first, second]);
  });
});

describe("later ones", () => {
  beforeEach(async () => {
    await wait(all.slice(0, 3));
    await publishes(first);
  });
  const late = all.slice(3);
  /** Looks as often as it is told to. */
  async function looksUntilTold(account: string): Promise<{ after: number; alert: BrakeAlertToPublish }> {
    const begun = now;
    for (let looks = 0; looks < 20; looks++) {
      const announcement = await look(account);
      if (announcement.kind === "tell") return { after: now - begun, alert: announcement };
      if (announcement.kind === "told-elsewhere") throw new Error("nobody told of it");
      expect(announcement.ms).toBeGreaterThan(0);
      now += announcement.ms;
    }
    throw new Error("nobody is told of it");
  }

  test("are told of a minute later if they are as many, in one alert", async () => {
    await wait(late.slice(0, 3));
    const { after, alert } = await looksUntilTold(late[0] ?? "");
    expect(after).toBeGreaterThan(0.9 * MINUTE);
    expect(after).toBeLessThan(1.2 * MINUTE);
    expect(sids(alert.accounts)).toEqual(late.slice(0, 3));
  });

  test("are told of after ten minutes if they are fewer", async () => {
    await wait(late.slice(0, 2));
    const { after, alert } = await looksUntilTold(late[1] ?? "");
    expect(after).toBeGreaterThan(9.5 * MINUTE);
    expect(after).toBeLessThan(10.5 * MINUTE);
    expect(sids(alert.accounts)).toEqual(late.slice(0, 2));
  });

  test("are counted by one of them a minute, however many wait for it", async () => {
    await wait(late.slice(0, 2));
    now += MINUTE;
    expect(await look(late[0] ?? "")).toMatchObject({ kind: "later" });
    const reads = rig.table.proxy.requests().length;
    expect(await look(late[1] ?? "")).toEqual({ kind: "later", ms: MINUTE });
    expect(
      rig.table.proxy
        .requests()
        .slice(reads)
        .map(({ operation }) => operation),
    ).toEqual(["GetItem", "GetItem"]);
  });

  test("after a person's release are told of at once", async () => {
    for (const account of all.slice(0, 3)) await keeper().strikeOff(account);
    await keeper().release("r1");
    await wait(late.slice(0, 1));
    expect(await publishes(late[0] ?? "")).toEqual(late.slice(0, 1));
  });
});
