import { DeleteCommand, GetCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Alert } from "../../lib/alerts/alert.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import type { Message, Signal } from "../../lib/inbox/messages.ts";
import { brakeOf, brakeStore } from "../../lib/incidents/brake-store.ts";
import { brakeKey } from "../../lib/incidents/keys.ts";
import { jsonLog } from "../../lib/log.ts";
import { brakeKeeper } from "../../lib/response/keep-brake.ts";
import type { Responder } from "../../lib/response/responder.ts";
import { reactivate, releaseBrake, suspend } from "../support/commands.ts";
import type { SeenRequest } from "../support/fault-proxy.ts";
import { policyOf } from "../support/policies.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { errorsCounted, firing, notUnderstood } from "../support/signals.ts";

// Every subaccount trips at once: the brake of all workers together, in a real store, with everything failing beside it.

const POLICY = policyOf(`
limits:
  warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  all: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 5, within: 10m }
`);

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(async () => {
  await rig.table.send(new DeleteCommand({ TableName: rig.aws.tableName, Key: brakeKey }));
  for (const { accountSid } of await waiting()) await listed().end(accountSid, new Date());
});
afterEach(() => rig.mend());

const listed = () => brakeStore(rig.table, rig.aws.tableName, systemClock).waiting;

async function waiting() {
  const all = [];
  for await (const page of listed().pages()) all.push(...page);
  return all;
}

async function placesTaken(): Promise<number> {
  const get = new GetCommand({ TableName: rig.aws.tableName, Key: brakeKey, ConsistentRead: true });
  const { suspensions } = brakeOf((await rig.table.send(get)).Item).state;
  return new Set(suspensions.map(({ accountSid }) => accountSid)).size;
}

/** The brake's alert gives others two seconds to come: here it waits for so many, however busy the machine is. */
function gathering(count: number, now: Clock["now"] = systemClock.now): Clock {
  const gathered = () => vi.waitFor(async () => expect((await waiting()).length).toBeGreaterThanOrEqual(count), 10_000);
  return {
    now,
    sleep: async (milliseconds) => void (await (milliseconds === 2000 ? gathered() : pause(milliseconds))),
  };
}
const pause = systemClock.sleep;

function customers(count: number): string[] {
  return Array.from({ length: count }, (_, nth) => {
    const friendlyName = `Customer ${String.fromCharCode(65 + nth)}`;
    return rig.simulator.addSubaccount({ friendlyName }).accountSid;
  });
}
const nameOf = (account: string) => rig.simulator.account(account).friendlyName;
const suspendedOf = (all: readonly string[]) =>
  all.filter((account) => rig.simulator.account(account).status === "suspended");

async function deliver(message: Message, { attempt = 1, ...changes }: Partial<Responder> & { attempt?: number } = {}) {
  const { clock = gathering(0), brake = rig.brakeOf(POLICY.brake, { clock, patience: 60_000 }), ...others } = changes;
  return rig.deliver(message, { policy: POLICY, clock, brake, attempt, ...others });
}

/** Each in a worker of its own, at the same time; then again those whose alert another one was about to give. */
const tripAll = (all: readonly string[], held: number) =>
  deliverAll(
    all.map((account) => firing(account)),
    { clock: gathering(held) },
  );

async function deliverAll(signals: readonly Signal[], changes: Partial<Responder>): Promise<void> {
  const first = await Promise.all(signals.map((signal) => deliver(signal, changes)));
  for (const signal of signals.filter((_, nth) => first[nth]?.kind !== "done")) {
    // A busy machine may take more than one time.
    const isDone = async (attempt: number) => (await deliver(signal, { attempt, ...changes })).kind === "done";
    const done = (await isDone(2)) || (await isDone(3)) || (await isDone(4));
    expect(done).toBe(true);
  }
}

async function incidentOf(account: string) {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error(`${account} has no incident`);
  return recorded.incident;
}

async function alertsOfAll(all: readonly string[]): Promise<Alert[]> {
  const alerts = [];
  for (const account of all) alerts.push(...(await rig.alertsOf(account)));
  return alerts;
}
const isOfBrake = ({ subject }: Alert) => subject.startsWith("THE BRAKE HOLDS");

/** The accounts whose names stand in the brake's alerts, in all of them together. */
const namedIn = (alerts: readonly Alert[], all: readonly string[]) =>
  alerts.filter(isOfBrake).flatMap(({ text }) => all.filter((account) => text.includes(account)));

/** Suspended as far as the brake allows, before the test begins. */
async function useUp(places: number): Promise<string[]> {
  const all = customers(places);
  for (const account of all) expect(await deliver(firing(account))).toEqual({ kind: "done" });
  expect(suspendedOf(all)).toEqual(all);
  return all;
}

/** A responder to whom it is so much later. */
function later(milliseconds: number) {
  const now = () => new Date(Date.now() + milliseconds);
  const clock = gathering(0, now);
  const store = brakeStore(rig.table, rig.aws.tableName, clock);
  const { inbox } = rig.responder();
  return { clock, brake: brakeKeeper({ store, inbox, brake: POLICY.brake, clock, log: jsonLog(() => {}) }) };
}
const MINUTE = 60_000;

describe("12 accounts trip at once", () => {
  test("5 are suspended, 7 wait, and one loud alert names all 7", async () => {
    const all = customers(12);
    await tripAll(all, 7);
    const suspended = suspendedOf(all);
    const held = all.filter((account) => !suspended.includes(account));
    expect(suspended).toHaveLength(5);

    for (const account of suspended) expect(await incidentOf(account)).toMatchObject({ state: "suspended" });
    for (const account of held) {
      expect(await incidentOf(account)).toMatchObject({
        ...{ state: "alerted", because: "brake", rule: "all", trip: { currentValue: "130.25" } },
        friendlyName: nameOf(account),
        reason: expect.stringMatching(
          /^totalprice by price reached 130.25, its limit is 100; not suspended, because the brake/,
        ),
        alerts: [{ about: "alerted", because: "brake", publishedAt: expect.any(String) }],
      });
      expect(rig.suspensionRequests(account)).toBe(0);
    }

    const alerts = await alertsOfAll(all);
    expect(alerts.filter(({ about }) => about === "suspended")).toHaveLength(5);
    const [loud, ...others] = alerts.filter(isOfBrake);
    expect(others).toEqual([]);
    expect(alerts).toHaveLength(6);
    expect(loud).toMatchObject({ severity: "critical", subject: "THE BRAKE HOLDS: 7 accounts NOT suspended" });
    for (const account of held) expect(loud?.text).toContain(`${nameOf(account)} (${account})`);
    for (const account of suspended) expect(loud?.text).not.toContain(account);
  });

  test("and once more, an hour later: those that wait still wait, and nobody is told again", async () => {
    const all = customers(9);
    await tripAll(all, 4);
    const held = all.filter((account) => !suspendedOf(all).includes(account));
    const before = (await alertsOfAll(all)).length;
    for (const account of held) {
      for (const signal of [firing(account), firing(account, { limit: "warning", triggerValue: "80" })]) {
        expect(await deliver(signal, later(61 * MINUTE))).toEqual({ kind: "done" });
        expect(await deliver(signal, later(26 * 60 * MINUTE))).toEqual({ kind: "done" });
      }
      expect(await deliver(notUnderstood(account), later(61 * MINUTE))).toEqual({ kind: "done" });
      expect(await deliver(firing(account), later(62 * MINUTE))).toEqual({ kind: "done" });
      expect(await incidentOf(account)).toMatchObject({ state: "alerted", because: "brake", rule: "all", signals: 5 });
    }
    expect(suspendedOf(held)).toEqual([]);
    // What could not be read is told of each.
    expect((await alertsOfAll(all)).length - before).toBe(held.length);
  });

  test("an account that trips an hour later is suspended: the brake is off again", async () => {
    const all = customers(8);
    await tripAll(all.slice(1), 2);
    expect(await deliver(firing(all[0] ?? ""), later(61 * MINUTE))).toEqual({ kind: "done" });
    expect(suspendedOf(all)).toHaveLength(6);
    expect(suspendedOf(all.slice(0, 1))).toHaveLength(1);
  });
});

describe("nobody who waits is forgotten", () => {
  let held: string[];
  beforeEach(async () => {
    await useUp(5);
    held = customers(7);
  });

  test("SNS is down: the alert comes later, and names all", async () => {
    rig.sns.fail({ do: "cut" });
    const signals = held.map((account) => firing(account));
    for (const { kind } of await Promise.all(signals.map((signal) => deliver(signal, { clock: gathering(7) }))))
      expect(kind).toBe("again");
    expect(await alertsOfAll(held)).toEqual([]);

    rig.mend();
    for (const signal of signals) expect(await deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    const alerts = await alertsOfAll(held);
    expect(alerts).toHaveLength(1);
    expect(namedIn(alerts, held)).toEqual(held);
  });

  test("SNS is down until a further signal comes, even one that would only be a warning", async () => {
    const [account = ""] = held;
    rig.sns.fail({ do: "cut" });
    expect(await deliver(firing(account))).toMatchObject({ kind: "again" });
    rig.mend();
    expect(await deliver(firing(account, { limit: "warning" }))).toEqual({ kind: "done" });
    expect(namedIn(await alertsOfAll(held), held)).toEqual([account]);
  });

  test("the worker that was to name them dies before it could", async () => {
    const signals = held.map((account) => firing(account));
    const [first, ...others] = signals;
    if (first === undefined) throw new Error("nobody is held");

    const reached = Promise.withResolvers<void>();
    // It has put all names to its own, and never gets further.
    const dying = {
      publish: () => {
        reached.resolve();
        return new Promise<never>(() => {});
      },
    };
    const gathers = Promise.withResolvers<void>();
    const { now, sleep } = gathering(7);
    const beginning = async (milliseconds: number) => {
      gathers.resolve();
      await sleep(milliseconds);
    };
    void deliver(first, { alerts: dying, clock: { now, sleep: beginning } });
    await gathers.promise;
    const tooSoon = others.map((signal) => deliver(signal));
    await reached.promise;
    for (const { kind } of await Promise.all(tooSoon)) expect(kind).toBe("again");
    expect(await alertsOfAll(held)).toEqual([]);

    // Half a minute later it is known to be gone.
    const [second, ...rest] = others;
    if (second === undefined) throw new Error("others are held");
    expect(await deliver(second, { ...later(31_000), attempt: 2 })).toEqual({ kind: "done" });
    for (const signal of rest) expect(await deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await deliver(first, { attempt: 2 })).toEqual({ kind: "done" });
    const alerts = await alertsOfAll(held);
    expect(alerts).toHaveLength(1);
    expect(namedIn(alerts, held)).toEqual(held);
  });

  test.each(["before", "after"] as const)("the store fails %s each of the writes that follow", async (when) => {
    const [account = ""] = held;
    const signal = firing(account);
    let attempt = 1;
    // A store that can't even be read knows nothing of a brake: that is another story.
    for (let nth = 2; attempt < 25; nth++, attempt++) {
      rig.dynamo.fail({ nth, when, do: "cut" });
      // Whoever was cut while making the alert is gone by then.
      const clock = gathering(0, () => new Date(Date.now() + attempt * 31_000));
      const { kind } = await deliver(signal, { attempt, clock });
      rig.mend();
      if (kind === "done") break;
    }
    expect(attempt).toBeLessThan(25);
    expect(suspendedOf(held)).toEqual([]);
    expect(await incidentOf(account)).toMatchObject({ state: "alerted", because: "brake", signals: 1 });
    // Cut between SNS and the record, it is published twice, as the same alert.
    const alerts = (await alertsOfAll(held)).filter(isOfBrake);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
    expect(new Set(namedIn(alerts, held))).toEqual(new Set([account]));
  });

  test("one that people were warned of before is named, too", async () => {
    const [account = ""] = held;
    await deliver(firing(account, { limit: "warning", triggerValue: "80", currentValue: "85" }));
    expect(await incidentOf(account)).toMatchObject({ because: "rule", rule: "warning" });
    await deliver(firing(account));
    expect(await incidentOf(account)).toMatchObject({
      ...{ state: "alerted", because: "brake", rule: "all", signals: 2 },
      reason: expect.stringContaining("the brake holds"),
    });
    const alerts = await rig.alertsOf(account);
    expect(alerts.map(({ subject }) => subject.split(":")[0])).toEqual(["Warning", "THE BRAKE HOLDS"]);
    expect(alerts.map(({ severity }) => severity)).toEqual(["warning", "critical"]);
    expect(namedIn(alerts, held)).toEqual([account]);
  });

  test("one that an operator suspends while SNS is down does not take the others' alert with it", async () => {
    rig.sns.fail({ do: "cut" });
    const signals = held.slice(0, 3).map((account) => firing(account));
    await Promise.all(signals.map((signal) => deliver(signal, { clock: gathering(3) })));
    rig.mend();
    const [suspended = "", ...others] = held.slice(0, 3);
    expect(await deliver(suspend(suspended))).toEqual({ kind: "done" });
    for (const signal of signals) expect(await deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(namedIn(await alertsOfAll(held), held).sort()).toEqual(others.sort());
  });
});

describe("what needs no suspension does not use up the brake", () => {
  test("triggers of accounts that were suspended by hand", async () => {
    const [other = "", ...byHand] = customers(9);
    for (const account of byHand) {
      rig.simulator.setStatus(account, "suspended");
      expect(await deliver(firing(account))).toEqual({ kind: "done" });
      expect(await incidentOf(account)).toMatchObject({ containment: { by: "already-suspended" } });
    }
    await deliver(firing(other));
    expect(suspendedOf([other])).toEqual([other]);
  });

  test("late triggers of accounts that were suspended long ago", async () => {
    const [other = ""] = customers(1);
    const long = await useUp(5);
    const anHour = later(61 * MINUTE);
    const late = { triggerValue: "2000", firedAt: anHour.clock.now().toISOString() };
    for (const account of long) expect(await deliver(firing(account, late), anHour)).toEqual({ kind: "done" });
    await deliver(firing(other), anHour);
    expect(suspendedOf([other])).toEqual([other]);
  });

  test("while it holds, an account that is suspended already is not among those that wait", async () => {
    const [byHand = "", held = ""] = customers(2);
    await useUp(5);
    rig.simulator.setStatus(byHand, "suspended");
    await deliver(firing(byHand));
    await deliver(firing(held));
    expect((await waiting()).map(({ accountSid }) => accountSid)).toEqual([held]);
    expect(namedIn(await rig.alertsOf(held), [byHand, held])).toEqual([held]);
  });
});

describe("a place that is given back", () => {
  test("goes to who waited for it: asked again through the inbox, it is suspended", async () => {
    await useUp(4);
    const [slow = "", held = ""] = customers(2);
    rig.twilio.fail({ on: ({ method, path }) => method === "POST" && path.includes(slow), do: "hang" });
    const hanging = rig.deliver(firing(slow), {
      ...{ policy: POLICY, milliseconds: 12_000 },
      brake: rig.brakeOf(POLICY.brake, { patience: 60_000 }),
    });
    await vi.waitFor(async () => expect(await placesTaken()).toBe(5), 10_000);
    await deliver(firing(held), { clock: gathering(1) });
    expect(await incidentOf(held)).toMatchObject({ state: "alerted", because: "brake" });
    expect(await hanging).toMatchObject({ kind: "again" });
    rig.mend();

    const nudges = await vi.waitFor(async () => {
      const asked = await rig.inboxOf(held);
      expect(asked).toMatchObject([{ kind: "drive", accountSid: held }]);
      return asked;
    }, 10_000);
    for (const nudge of nudges) expect(await deliver(nudge)).toEqual({ kind: "done" });
    expect(await incidentOf(held)).toMatchObject({
      ...{ state: "suspended", rule: "all", signals: 1 },
      reason: expect.stringMatching(/^a place at the brake is free again: totalprice by price reached 130.25/),
    });
    expect(suspendedOf([slow, held])).toEqual([held]);
    expect(await waiting()).toEqual([]);
  });

  test("is not what the sweep's nudge is about: that the window is over releases nobody", async () => {
    await useUp(5);
    const [held = ""] = customers(1);
    await deliver(firing(held));
    const { id: incidentId } = await incidentOf(held);
    const anHour = later(61 * MINUTE);
    const receivedAt = anHour.clock.now().toISOString();
    const nudge = { kind: "drive", id: `drive:${incidentId}`, accountSid: held, incidentId, receivedAt } as const;
    expect(await deliver(nudge, anHour)).toEqual({ kind: "done" });
    expect(suspendedOf([held])).toEqual([]);
    expect((await waiting()).map(({ accountSid }) => accountSid)).toEqual([held]);
  });
});

describe("an account that is on its way back", () => {
  test("and fires is suspended whatever the brake says, and takes no place", async () => {
    const [account = ""] = customers(1);
    await deliver(suspend(account));
    const contained = await incidentOf(account);
    rig.dynamo.fail({ on: ({ body }) => body.includes('"activated"'), do: "cut" });
    expect((await deliver(reactivate(contained))).kind).toBe("threw");
    rig.mend();
    expect(await incidentOf(account)).toMatchObject({ state: "reactivating" });
    expect(suspendedOf([account])).toEqual([]);

    await useUp(5);
    // What fired before the suspension is only late.
    expect(await deliver(firing(account, { firedAt: new Date().toISOString() }))).toEqual({ kind: "done" });
    expect(suspendedOf([account])).toEqual([account]);
    expect(await incidentOf(account)).toMatchObject({ state: "suspended" });
    expect(await placesTaken()).toBe(5);
    expect(await waiting()).toEqual([]);
  });
});

describe("a release of all", () => {
  test("suspends those that waited when it was accepted, and nobody who came since", async () => {
    await useUp(5);
    const [first = "", second = "", after = ""] = customers(3);
    for (const account of [first, second]) await deliver(firing(account));
    const { accountSid } = rig.simulator.parent();
    const command = releaseBrake(accountSid, null);
    await deliver(firing(after, { receivedAt: command.receivedAt }));
    expect((await waiting()).map((one) => one.accountSid)).toEqual([first, second, after].sort());
    expect(await deliver(command)).toEqual({ kind: "done" });

    for (const account of [first, second]) {
      const commands = await rig.inboxOf(account);
      expect(commands).toMatchObject([{ kind: "suspend", operator: "alice" }]);
      for (const one of commands) expect(await deliver(one)).toEqual({ kind: "done" });
    }
    expect(await rig.inboxOf(after)).toEqual([]);
    expect(suspendedOf([first, second, after])).toEqual([first, second]);
    expect((await waiting()).map((one) => one.accountSid)).toEqual([after]);
    expect(await placesTaken()).toBe(0);
  });
});

describe("an account that somebody set active again, past us", () => {
  test("waits like any other while the brake holds, and goes on waiting", async () => {
    const [account = ""] = await useUp(1);
    await rig.table.send(new DeleteCommand({ TableName: rig.aws.tableName, Key: brakeKey }));
    await useUp(5);
    rig.simulator.setStatus(account, "active");
    const anew = () => firing(account, { firedAt: new Date(Date.now() + 1000).toISOString(), currentValue: "500" });
    await deliver(anew());
    expect(rig.simulator.account(account).status).toBe("active");
    expect(await incidentOf(account)).toMatchObject({ because: "brake", trip: { currentValue: "500" } });
    expect(namedIn(await rig.alertsOf(account), [account])).toEqual([account]);

    await deliver({ ...anew(), firedAt: new Date(Date.now() + 62 * MINUTE).toISOString() }, later(61 * MINUTE));
    expect(rig.simulator.account(account).status).toBe("active");

    const { id: incidentId } = await incidentOf(account);
    const asked = { kind: "drive", id: "brake:again", accountSid: account, incidentId, isPlaceFree: true } as const;
    const receivedAt = new Date().toISOString();
    expect(await deliver({ ...asked, receivedAt }, later(61 * MINUTE))).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("suspended");
    expect(await incidentOf(account)).toMatchObject({ state: "suspended", because: null });
  });
});

describe("the store is down", () => {
  test("a worker suspends no more than the brake allows, and the others are found waiting afterwards", async () => {
    const all = customers(9);
    const brake = rig.brakeOf(POLICY.brake, { clock: gathering(4), patience: 60_000 });
    const signals = all.map((account) => firing(account));
    rig.dynamo.fail({ do: "cut" });
    for (const { kind } of await Promise.all(signals.map((signal) => deliver(signal, { brake })))) {
      expect(kind).toBe("again");
    }
    expect(suspendedOf(all)).toHaveLength(5);

    rig.mend();
    await deliverAll(signals, { brake });
    const suspended = suspendedOf(all);
    expect(suspended).toHaveLength(5);
    for (const account of suspended) {
      expect(await incidentOf(account)).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
    }
    const held = all.filter((account) => !suspended.includes(account));
    expect(namedIn(await alertsOfAll(all), all)).toEqual(held);
  });

  test("only the brake cannot be written: it holds all the same, and people are told", async () => {
    await useUp(5);
    const [account = ""] = customers(1);
    const isWrite = ({ operation, body }: SeenRequest) => /^(Put|Update)/.test(operation) && body.includes('"BRAKE"');
    rig.dynamo.fail({ on: isWrite, do: "cut" });
    const signal = firing(account);
    await deliver(signal);
    expect(suspendedOf([account])).toEqual([]);
    rig.mend();
    expect(await deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(suspendedOf([account])).toEqual([]);
    expect(namedIn(await rig.alertsOf(account), [account])).toEqual([account]);
  });
});

test("errors that count as proof and a top spender meet the same brake", async () => {
  await useUp(5);
  const proof = policyOf(`
errors: { fraud: { codes: [30450], count: 5, within: 10m, then: suspend, confirm: { category: sms, by: count, at: 7 } } }
brake: { suspensions: 5, within: 10m }
`);
  const [account = ""] = customers(1);
  rig.simulator.addUsage(account, { category: "sms", count: 8 });
  await deliver(errorsCounted(account, { rule: "fraud" }), { policy: proof });
  expect(suspendedOf([account])).toEqual([]);
  expect(await incidentOf(account)).toMatchObject({ because: "brake", rule: "fraud", errors: { count: 20 } });
  expect(namedIn(await rig.alertsOf(account), [account])).toEqual([account]);
});
