import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../../lib/inbox/commands.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { type Answer, send } from "../../local/twilio/api.ts";
import { reactivate } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { type Recorded, type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// From `active` until the account's token is another one, the old one works: what whoever holds it does in that window.

let rig: Rig;
let account: string;
/** The tokens that the attacker has seen. */
let seen: Set<string>;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  const added = rig.simulator.addSubaccount();
  account = added.accountSid;
  seen = new Set([primary()]);
});
afterEach(() => rig.mend());

const POLICY = policyOf(`
limits:
  warning: { category: totalprice, by: price, every: day, at: 50, then: alert }
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  burst: { category: sms-outbound, by: count, every: day, at: 10, then: suspend }
brake: { suspensions: 1000, within: 10m }
probation: { share: 0.25, for: 24h }
`);
const DONE = { kind: "done" };
const SECONDARY = "/v1/AuthTokens/Secondary";
const PROMOTE = "/v1/AuthTokens/Promote";

const status = () => rig.simulator.account(account).status;
const primary = () => rig.simulator.account(account).authToken;
const keysPath = () => `/2010-04-01/Accounts/${account}/Keys`;
const triggersPath = () => `/2010-04-01/Accounts/${account}/Usage/Triggers`;
const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const asks = (method: string, path: string) => (request: SeenRequest) =>
  request.method === method && request.path.includes(path);
const setsActive = ({ body }: SeenRequest) => body.includes("Status=active");

async function story(): Promise<Recorded> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

async function contained(): Promise<Incident> {
  rig.simulator.addUsage(account, { category: "sms-outbound", count: 7, price: 40 });
  expect(await deliver(firing(account))).toEqual(DONE);
  return (await story()).incident;
}

const OPEN = ["suspended-by", "api-keys", "auth-token", "triggers"] as const;

/** What is not cleaned up is acknowledged. */
async function comeBack(...cleanup: ReactivateCommand["cleanup"]) {
  const { incident } = await story();
  const acknowledge = OPEN.filter((id) => !cleanup.some((other) => other === id));
  return deliver(reactivate(incident, { acknowledge: [...acknowledge], cleanup }));
}

async function answer(id: string): Promise<string | undefined> {
  return (await story()).incident.checklist?.items.find((item) => item.id === id)?.answer;
}

/** The attacker, with whatever of what he has seen still works. */
async function attacker(method: string, path: string, form?: Record<string, string>): Promise<Answer> {
  const authToken = [...seen].find((token) => token === primary()) ?? [...seen].at(-1) ?? "";
  const answer = await send(rig.simulator, { accountSid: account, authToken }, method, path, form);
  const { auth_token: promoted, secondary_auth_token: made } = answer.body ?? {};
  for (const token of [promoted, made]) if (typeof token === "string") seen.add(token);
  return answer;
}

async function isLockedOut(): Promise<boolean> {
  return !seen.has(primary()) && (await attacker("GET", `${keysPath()}.json`)).status === 401;
}

/** Does so once, in the moment after Twilio carried out the request. */
function oneMoment(
  on: (request: SeenRequest) => boolean,
  hook: () => Promise<unknown>,
  when: "before" | "after",
): void {
  rig.twilio.fail({ on, when, times: 1, do: "call", hook });
}

async function putOwnSecondary(): Promise<void> {
  await attacker("DELETE", SECONDARY);
  expect((await attacker("POST", SECONDARY)).status).toBe(201);
}

async function promoteOwn(): Promise<void> {
  await putOwnSecondary();
  expect((await attacker("POST", PROMOTE)).status).toBe(200);
  expect(seen).toContain(primary());
}

async function removeTriggers(): Promise<void> {
  const { body } = await attacker("GET", `${triggersPath()}.json`);
  for (const { sid } of body.usage_triggers) await attacker("DELETE", `${triggersPath()}/${sid}.json`);
}

describe("the auth token", () => {
  test("somebody else's new one is no clean-up: suspended again, he is locked out, and people know", async () => {
    await contained();
    oneMoment(setsActive, promoteOwn, "after");
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(status()).toBe("suspended");
    const { incident } = await story();
    expect(incident).toMatchObject({
      state: "suspended",
      reason: expect.stringContaining("somebody else changed its auth token"),
    });
    expect(seen).not.toContain(primary());
    expect(await answer("auth-token")).toBe("done");
    expect((await rig.alertsOf(account)).at(-1)).toMatchObject({ about: "not-reactivated", severity: "critical" });

    expect(await comeBack()).toEqual(DONE);
    expect(await isLockedOut()).toBe(true);
    expect(status()).toBe("active");
  });

  test("ours, promoted by somebody else who thereby knows it, is changed once more", async () => {
    await contained();
    const stolen = async () => expect((await attacker("POST", PROMOTE)).status).toBe(200);
    oneMoment(asks("POST", PROMOTE), stolen, "before");
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(await story()).toMatchObject({
      incident: { state: "reactivated", reactivation: { cleaned: ["auth-token"] } },
    });
    expect(await isLockedOut()).toBe(true);
  });

  test("ours, promoted by somebody else after a delivery was cut, is changed once more", async () => {
    const before = await contained();
    const command = reactivate(before, {
      acknowledge: ["suspended-by", "api-keys", "triggers"],
      cleanup: ["auth-token"],
    });
    const cut = async () => {
      await Promise.all([rig.dynamo.down(), rig.twilio.down()]);
      throw new Error("it never reaches Twilio");
    };
    oneMoment(asks("POST", PROMOTE), cut, "before");
    expect(await deliver(command, { milliseconds: 3000 })).toMatchObject({ kind: "threw" });
    await Promise.all([rig.dynamo.up(), rig.twilio.up()]);
    rig.mend();
    expect(status()).toBe("active");
    expect((await attacker("POST", PROMOTE)).status).toBe(200);
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(await story()).toMatchObject({ incident: { state: "reactivated" } });
    expect(await isLockedOut()).toBe(true);
  });

  test("a promotion whose answer is lost is not believed, but repeated", async () => {
    await contained();
    rig.twilio.fail({ on: asks("POST", PROMOTE), when: "after", times: 1, do: "cut" });
    let afterFirst = "";
    const hook = () => {
      afterFirst = primary();
    };
    rig.twilio.fail({ on: asks("DELETE", SECONDARY), nth: 2, do: "call", hook });
    expect(await comeBack("auth-token")).toEqual(DONE);
    const { incident, timeline } = await story();
    expect(incident).toMatchObject({ state: "reactivated" });
    expect(timeline).toContainEqual(expect.objectContaining({ detail: expect.objectContaining({ tries: 2 }) }));
    const promotions = rig.twilio.requests().filter(({ path, headers }) => path.endsWith(PROMOTE) && isOf(headers));
    expect(promotions).toHaveLength(2);
    expect(seen).not.toContain(afterFirst);
    expect([...seen, afterFirst]).not.toContain(primary());
  });

  test("somebody who is always faster: suspended again after a few tries, and what he has is not taken for done", async () => {
    await contained();
    rig.twilio.fail({ on: asks("POST", PROMOTE), times: 1, do: "call", hook: putOwnSecondary });
    rig.twilio.fail({ on: asks("POST", PROMOTE), do: "call", hook: promoteOwn });
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await story()).toMatchObject({ incident: { state: "suspended", reactivation: { cleaned: [] } } });
    expect(seen).toContain(primary());
    expect(await answer("auth-token")).toBe("not-done");
  });

  test("that somebody else put in place is not taken for the one that we made", async () => {
    await contained();
    rig.twilio.fail({ on: asks("POST", PROMOTE), do: "call", hook: putOwnSecondary });
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await answer("auth-token")).toBe("not-done");
    rig.mend();
    const { incident } = await story();
    await deliver(reactivate(incident, { acknowledge: ["suspended-by", "api-keys", "triggers"] }));
    expect(status()).toBe("suspended");
  });

  test("neither the old one nor any of the new ones is written anywhere", async () => {
    const tokens = [primary()];
    await contained();
    rig.twilio.fail({ on: asks("POST", PROMOTE), when: "after", times: 1, do: "cut" });
    const hook = async () => void tokens.push(primary());
    rig.twilio.fail({ on: asks("DELETE", SECONDARY), nth: 2, do: "call", hook });
    await comeBack("auth-token");
    tokens.push(primary());
    expect(new Set(tokens).size).toBe(3);
    const written = [await rig.tableText(), rig.logged.join(), JSON.stringify(await rig.alertsOf(account))].join();
    for (const token of tokens) expect(written).not.toContain(token);
  });
});

describe("API keys", () => {
  const keys = async () => (await send(rig.simulator, rig.simulator.parent(), "GET", `${keysPath()}.json`)).body.keys;
  const makeKey = () => attacker("POST", `${keysPath()}.json`, { FriendlyName: "to come back by" });

  test("made while it is active are deleted, where all were to be", async () => {
    await contained();
    oneMoment(setsActive, makeKey, "after");
    expect(await comeBack("api-keys", "auth-token")).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await keys()).toEqual([]);
    expect((await story()).timeline).toContainEqual(expect.objectContaining({ what: "new-api-keys-deleted" }));
  });

  test("that were acknowledged stay, and no others", async () => {
    await contained();
    const before = await keys();
    expect(before.length).toBeGreaterThan(0);
    oneMoment(setsActive, makeKey, "after");
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await keys()).toEqual(before);
  });

  test("that can't be read or deleted lead back", async () => {
    await contained();
    oneMoment(setsActive, makeKey, "after");
    rig.twilio.fail({ on: asks("DELETE", "/Keys/"), do: "answer", status: 403 });
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await story()).toMatchObject({
      incident: { state: "suspended", reason: expect.stringContaining("API keys") },
    });
    // The token is another one all the same, and nobody else has it.
    expect(await answer("auth-token")).toBe("done");
  });
});

describe("its guards", () => {
  const guards = async () =>
    (await rig.triggersOf(account)).filter(({ friendlyName }) => friendlyName.endsWith("probation"));
  const valuesOf = async () => (await guards()).map(({ triggerValue }) => Number(triggerValue)).sort();

  test.each([
    ["rotated", ["auth-token", "triggers"] as const, 5],
    ["acknowledged", [] as const, 2],
  ])("that are removed are made anew, at the same values, with the token %s", async (_, cleanup, count) => {
    await contained();
    oneMoment(setsActive, removeTriggers, "after");
    expect(await comeBack(...cleanup)).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await rig.triggersOf(account)).toHaveLength(count);
    expect(await valuesOf()).toEqual([10, 65]);
    const { incident, timeline } = await story();
    const sids = (await guards()).map(({ sid }) => sid);
    expect([...(incident.reactivation?.guards ?? [])].sort()).toEqual(sids.sort());
    expect(timeline).toContainEqual(expect.objectContaining({ what: "guards-restored" }));
  });

  test("that are forged, to call us and never fire, are no guards", async () => {
    await contained();
    oneMoment(
      setsActive,
      async () => {
        const before = await guards();
        await removeTriggers();
        for (const one of before) {
          const { friendlyName: FriendlyName, callbackUrl: CallbackUrl, usageCategory: UsageCategory } = one;
          const form = { FriendlyName, CallbackUrl, UsageCategory, TriggerBy: one.triggerBy, TriggerValue: "99999999" };
          expect((await attacker("POST", `${triggersPath()}.json`, form)).status).toBe(201);
        }
      },
      "after",
    );
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(await valuesOf()).toEqual(expect.arrayContaining([10, 65]));
  });

  test("that can't be made anew lead back", async () => {
    await contained();
    oneMoment(
      setsActive,
      async () => {
        await removeTriggers();
        rig.twilio.fail({ on: asks("POST", "/Usage/Triggers"), do: "answer", status: 403 });
      },
      "after",
    );
    expect(await comeBack("auth-token")).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await story()).toMatchObject({
      incident: { state: "suspended", reason: expect.stringContaining("usage triggers") },
    });
  });

  test("that nobody touched are left as they are, and nothing is said", async () => {
    await contained();
    const before: string[] = [];
    const look = async () => before.push(...(await guards()).map(({ sid }) => sid));
    oneMoment(setsActive, look, "before");
    await comeBack("auth-token");
    expect(before).toHaveLength(2);
    expect((await guards()).map(({ sid }) => sid)).toEqual(before);
    expect((await story()).timeline.map(({ what }) => what)).not.toContain("guards-restored");
  });
});

describe("after a failure, the check-list", () => {
  test("is read anew: it says what is, not what was", async () => {
    await contained();
    rig.twilio.fail({ on: asks("POST", PROMOTE), do: "answer", status: 403 });
    expect(await comeBack("api-keys", "auth-token")).toEqual(DONE);
    // Restricted and main ones it shows to the account itself alone.
    expect(await answer("api-keys")).toBe("cannot-tell");
    expect(await answer("auth-token")).toBe("not-done");
  });
});

function isOf({ authorization = "" }: SeenRequest["headers"]): boolean {
  return Buffer.from(authorization.replace("Basic ", ""), "base64").toString().startsWith(account);
}
