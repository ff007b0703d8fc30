import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { refuseOtherCurrencies } from "../../cli/triggers/check-currencies.ts";
import { guardsFor } from "../../lib/triggers/guards.ts";
import { writeDiscovery } from "../../local/discovery.ts";
import { accountPath, apiOf } from "../local/twilio/api.ts";
import { policyOf } from "../support/policies.ts";
import { serve, tollbreaker } from "./command-line.ts";
import { type Deployment, POLICY, startDeployment } from "./deployment.ts";
import { inProcess } from "./in-process.ts";

let deployment: Deployment;
beforeEach(async () => {
  deployment = await startDeployment();
});
afterEach(() => deployment.close());

const triggers = (words: string[], changes: Record<string, string> = {}) =>
  inProcess(["triggers", ...words], { ...deployment.environment, ...changes });
const accounts = () => deployment.simulator.subaccounts();
const firstSid = () => accounts()[0]?.accountSid ?? "";
const api = () => apiOf(deployment.simulator);

interface Listed {
  sid: string;
  friendly_name: string;
  trigger_value: string;
  callback_url: string;
}
async function listed(accountSid = firstSid()): Promise<Listed[]> {
  const { body } = await api().get(`${accountPath(accountSid, "/Usage/Triggers")}?PageSize=1000`);
  return body.usage_triggers;
}
const valuesOf = async (accountSid = firstSid()) =>
  (await listed(accountSid)).map((one) => `${one.friendly_name} ${Number(one.trigger_value)}`).toSorted();
const ARMED = ["tollbreaker: daily-spend 100", "tollbreaker: daily-warning 80"];
const changes = () => deployment.simulator.requests().filter(({ method }) => method !== "GET");

/** A trigger of somebody else's. */
const makeForeign = (accountSid = firstSid()) =>
  api().post(accountPath(accountSid, "/Usage/Triggers"), {
    ...{ FriendlyName: "finance: monthly", CallbackUrl: "https://finance.example.com/", TriggerValue: "5000" },
    ...{ UsageCategory: "totalprice", TriggerBy: "price", Recurring: "monthly" },
  });

/** What somebody changed of a trigger. */
interface Edit {
  CallbackMethod?: string;
  hash?: string;
  search?: string;
}

describe("plan", () => {
  test("says what is missing, and changes nothing", async () => {
    const { code, stdout } = await triggers(["plan"]);
    expect(code).toBe(0);
    for (const { accountSid } of accounts()) expect(stdout).toContain(accountSid);
    expect(stdout).toMatch(/create +daily-warning +80/);
    expect(stdout).toContain("6 to create, 0 to replace, 0 to update, 0 to remove; 0 of 3 accounts in order.");
    expect(changes()).toEqual([]);
  });

  test("--check ends with 9 when something is to be done, and with 0 when nothing is", async () => {
    expect(await triggers(["plan", "--check"])).toMatchObject({ code: 9, stderr: expect.stringContaining("drifted") });
    expect((await triggers(["apply"])).code).toBe(0);
    const again = await triggers(["plan", "--check"]);
    expect(again).toMatchObject({ code: 0, stderr: "", stdout: "Nothing to do; 3 of 3 accounts in order.\n" });
  });

  test("says that apply would refuse, where no account is in the policy's currency", async () => {
    await deployment.setPolicy(`currency: JPY\n${POLICY}`);
    const { code, stderr } = await triggers(["plan"]);
    expect(code).toBe(0);
    expect(stderr).toContain("not every account is billed in JPY, the policy's currency (3 in USD): apply refuses");
    await deployment.setPolicy(`currency: USD\n${POLICY}`);
    expect((await triggers(["plan"])).stderr).toBe("");
  });

  test("--json is JSON and nothing else", async () => {
    const { stdout } = await triggers(["plan", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      accounts: accounts().map(({ accountSid }) => ({
        accountSid,
        changes: [
          { kind: "create", limit: "daily-warning", value: "80", reached: null },
          { kind: "create", limit: "daily-spend", value: "100", reached: null },
        ],
        problem: null,
      })),
      unread: [],
      summary: {
        ...{ accounts: 3, inOrder: 0, create: 6, replace: 0, update: 0, remove: 0 },
        ...{ problems: 0, unread: 0 },
      },
    });
  });

  test("says that apply would refuse, for the currencies", async () => {
    deployment.simulator.addSubaccount({ currency: "EUR" });
    const { code, stderr } = await triggers(["plan"]);
    expect(code).toBe(0);
    expect(stderr).toContain("billed in different currencies (3 in USD, 1 in EUR): apply refuses");
    const { stdout } = await triggers(["plan", "--json"]);
    expect(JSON.parse(stdout).currencies).toEqual([
      { currency: "USD", accounts: 3 },
      { currency: "EUR", accounts: 1 },
    ]);
  });

  test("tells a replacement from a removal, and what would fire at once", async () => {
    await triggers(["apply"]);
    deployment.simulator.setSpend(firstSid(), { price: 60 });
    await deployment.setPolicy(POLICY.replace("at: 100", "at: 50").replace(/ {2}daily-warning.*\n/, ""));
    const { stdout } = await triggers(["plan"]);
    expect(stdout).toMatch(/replace +daily-spend +100 -> 50 +fires at once: it is 60 now/);
    expect(stdout).toMatch(/remove +daily-warning +80/);
    expect(stdout).toContain("0 to create, 3 to replace, 0 to update, 3 to remove");
    expect(stdout.match(/fires at once/g)).toHaveLength(1);
  });

  test("tells a trigger that was made to call somebody else", async () => {
    await triggers(["apply"]);
    const [trigger] = await listed();
    await api().post(accountPath(firstSid(), `/Usage/Triggers/${trigger?.sid}`), {
      CallbackUrl: "https://evil.example.com/\u001b[2J",
    });
    const { stdout } = await triggers(["plan"]);
    expect(stdout).toMatch(/update +daily-spend +100 +calls https:\/\/evil\.example\.com/);
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    ["the method alone", { CallbackMethod: "GET" }, "calls us, by GET"],
    ["the overrides alone", { hash: "#rc=1" }, "calls us with #rc=1 instead of #rc=5&rp=4xx,5xx,ct,rt"],
    ["the limit alone", { search: "?limit=x" }, "calls us with ?limit=x instead of ?limit=daily-spend"],
  ])("says how it differs where it is %s", async (_, { CallbackMethod = "POST", ...changed }: Edit, differs) => {
    await triggers(["apply"]);
    const [trigger] = await listed();
    const CallbackUrl = Object.assign(new URL(trigger?.callback_url ?? ""), changed).href;
    await api().post(accountPath(firstSid(), `/Usage/Triggers/${trigger?.sid}`), { CallbackUrl, CallbackMethod });
    const { stdout } = await triggers(["plan"]);
    expect(stdout).toContain(`  ${differs}\n`);
    const foreign = (await triggers(["status"])).stdout.split("\n").filter((line) => line.includes(" foreign "));
    expect(foreign).toEqual([expect.stringMatching(/ never +calls us/)]);
    expect(foreign[0]?.endsWith(`  ${differs}`)).toBe(true);
    expect((await triggers(["apply"])).code).toBe(0);
    expect((await triggers(["plan", "--check"])).code).toBe(0);
  });

  test("what is called a guard makes no difference: a limit that lost its trigger is not in order", async () => {
    await triggers(["apply"]);
    const [guard] = guardsFor(policyOf(POLICY), firstSid(), deployment.url, "command");
    if (guard === undefined) throw new Error("the policy has a limit that suspends");
    await api().post(accountPath(firstSid(), "/Usage/Triggers"), {
      ...{ FriendlyName: guard.friendlyName, CallbackUrl: guard.callbackUrl, TriggerValue: "999999999" },
      ...{ UsageCategory: guard.usageCategory, TriggerBy: guard.triggerBy },
    });
    const spend = (await listed()).find(({ friendly_name }) => friendly_name === "tollbreaker: daily-spend");
    await api().delete(accountPath(firstSid(), `/Usage/Triggers/${spend?.sid}`));
    deployment.simulator.setSpend(firstSid(), { price: 150 });
    const { code, stdout } = await triggers(["plan", "--check"]);
    expect(code).toBe(9);
    expect(stdout).toMatch(/create +daily-spend +100 +fires at once: it is 150 now/);
    expect((await triggers(["apply"])).code).toBe(0);
    // The guards are the sweep's.
    expect(await valuesOf()).toEqual(["tollbreaker: daily-spend probation 999999999", ...ARMED].sort());
    expect((await triggers(["plan", "--check"])).code).toBe(0);
  });

  test("an account that can't be read does not keep the others from being shown", async () => {
    deployment.simulator.addFault({ effect: { kind: "status", status: 500 }, accountSid: firstSid() });
    const { code, stdout, stderr } = await triggers(["plan"]);
    expect(code).toBe(1);
    expect(stdout).toContain("4 to create");
    expect(stdout).toContain("1 not read");
    expect(stderr).toMatch(new RegExp(`${firstSid()}: Twilio .*500`));
  }, 15_000);

  test("a closed account has no triggers, and is left out", async () => {
    deployment.simulator.setStatus(firstSid(), "closed");
    expect((await triggers(["plan"])).stdout).toContain("0 of 2 accounts in order");
  });

  test("the 1,000 of Twilio's are said", async () => {
    const form = { CallbackUrl: "https://x.example.com/", TriggerValue: "1", UsageCategory: "sms", FriendlyName: "x" };
    const url = `${deployment.simulator.url}/api${accountPath(firstSid(), "/Usage/Triggers")}`;
    const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token } = deployment.environment;
    const headers = { authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}` };
    for (let made = 0; made < 999; made += 9) {
      const nine = Array.from({ length: 9 }, () =>
        fetch(url, { method: "POST", headers, body: new URLSearchParams(form) }),
      );
      for (const answer of await Promise.all(nine)) await answer.arrayBuffer();
    }
    const { stdout } = await triggers(["plan"]);
    expect(stdout).toMatch(/cannot +it has 999 usage triggers and needs 2 more/);
    expect(stdout).toContain("1 cannot be brought in order");
    const applied = await triggers(["apply"]);
    expect(applied).toMatchObject({ code: 7, stderr: expect.stringContaining("it has 999 usage triggers") });
    expect(applied.stdout).toContain("2 of 3 accounts in order.");
    // There is room for one: the one that suspends.
    const ours = (await listed()).filter(({ friendly_name }) => friendly_name !== "x");
    expect(ours).toMatchObject([{ friendly_name: "tollbreaker: daily-spend" }]);
  }, 20_000);
});

describe("apply", () => {
  test("arms every account, says so, and tries the callback by a rehearsal first", async () => {
    const { code, stdout, stderr } = await triggers(["apply"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/(✓ .+ \(AC\w+\): 2 created\n){3}3 of 3 accounts in order\.\n$/),
    });
    expect(stderr).toContain("The callback refuses what is unsigned and takes what is signed");
    for (const { accountSid } of accounts()) expect(await valuesOf(accountSid)).toEqual(ARMED);
    expect(deployment.stored).toMatchObject([{ kind: "drill", accountSid: firstSid() }]);
  });

  test("does nothing where nothing is to be done, and sends no rehearsal", async () => {
    await triggers(["apply"]);
    const before = changes().length;
    const again = await triggers(["apply"]);
    expect(again).toEqual({ code: 0, stderr: "", stdout: "3 of 3 accounts in order.\n" });
    expect(changes()).toHaveLength(before);
    expect(deployment.stored).toHaveLength(1);
  });

  test("touches no trigger of others", async () => {
    await makeForeign();
    await triggers(["apply"]);
    await deployment.setPolicy(POLICY.replace("at: 100", "at: 120"));
    await triggers(["apply"]);
    expect(await valuesOf()).toEqual(["finance: monthly 5000", "tollbreaker: daily-spend 120", ARMED[1]]);
  });

  test("what it made is what Twilio fires, and what arrives is of the limit", async () => {
    await triggers(["apply"]);
    deployment.simulator.setSpend(firstSid(), { price: 90 });
    await deployment.simulator.evaluateTriggers();
    expect(deployment.stored.slice(1)).toMatchObject([
      { kind: "usage-trigger", limit: "daily-warning", accountSid: firstSid(), probation: false },
    ]);
  });

  test("one account that fails stops no other; the next run finishes it", async () => {
    const fault = {
      effect: { kind: "status", status: 500 },
      method: "POST",
      accountSid: firstSid(),
      times: 2,
    } as const;
    deployment.simulator.addFault(fault);
    expect((await triggers(["apply"])).code).toBe(0);
    await deployment.setPolicy(POLICY.replace("at: 100", "at: 120"));
    // Twilio takes it and never says so: it must not be made twice.
    deployment.simulator.addFault({ ...fault, effect: { kind: "status", status: 500, acts: true }, times: 1 });
    expect((await triggers(["apply"])).code).toBe(0);
    for (const { accountSid } of accounts()) expect(await valuesOf(accountSid)).toHaveLength(2);
  }, 15_000);

  test("waits as long as Twilio says that there are too many requests", async () => {
    // More often than a sweep would ask.
    deployment.simulator.addFault({ effect: { kind: "status", status: 429 }, accountSid: firstSid(), times: 5 });
    expect((await triggers(["apply"])).code).toBe(0);
    for (const { accountSid } of accounts()) expect(await valuesOf(accountSid)).toEqual(ARMED);
  }, 60_000);

  test("ends with what failed, and an exit code of its own", async () => {
    deployment.simulator.addFault({ effect: { kind: "status", status: 500 }, method: "GET", accountSid: firstSid() });
    const { code, stdout, stderr } = await triggers(["apply", "--json"]);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ unread: [{ accountSid: firstSid() }], inOrder: 2, of: 3 });
    expect(stderr).toMatch(new RegExp(`1 account is not in order[^]*${firstSid()}: its triggers could not be read`));
  }, 15_000);

  test("Ctrl-C lets what was begun be finished, and leaves the rest to the next run", async () => {
    for (let more = 0; more < 60; more++) deployment.simulator.addSubaccount();
    deployment.simulator.addFault({ effect: { kind: "latency", milliseconds: 60 }, method: "POST" });
    const interrupts = new EventEmitter();
    const running = inProcess(["triggers", "apply"], deployment.environment, { interrupts });
    while (changes().length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    interrupts.emit("SIGINT");
    const { code, stderr } = await running;
    expect(code).toBe(7);
    expect(stderr).toContain("interrupted before it was begun");
    expect(interrupts.listenerCount("SIGINT")).toBe(0);
    const counts = await Promise.all(accounts().map(async ({ accountSid }) => (await listed(accountSid)).length));
    expect(new Set(counts)).toEqual(new Set([0, 2]));
    deployment.simulator.clearFaults();
    expect((await triggers(["apply"])).code).toBe(0);
    expect(await triggers(["plan", "--check"])).toMatchObject({ code: 0 });
  }, 30_000);

  test("shows a bar on a terminal, and none elsewhere", async () => {
    const shown = await inProcess(["triggers", "plan"], deployment.environment, { isTTY: true });
    expect(shown.stderr).toMatch(/Reading triggers \[\.{24}\] 0\/3/);
    expect(shown.stderr).toMatch(/Reading triggers \[#{24}\] 3\/3/);
    expect((await triggers(["plan"])).stderr).toBe("");
  });
});

describe("apply refuses, and changes nothing,", () => {
  const refused = async (words: string[], environment: Record<string, string>, code: string) => {
    const before = changes().length;
    const ended = await triggers(["apply", ...words], environment);
    expect(ended).toMatchObject({ code: 6, stderr: expect.stringContaining(`(${code})`) });
    expect(changes()).toHaveLength(before);
    return ended.stderr;
  };

  test.each([
    [404, "", "nothing is deployed under this path"],
    [204, "", "it takes requests that nobody signed"],
    [403, "Forbidden", "something in front of it refuses"],
    [200, "hello", "something else answers there"],
  ])("when the callback answers %i %j to what is unsigned", async (status, body, said) => {
    const other = await serve((_, response) => response.writeHead(status).end(body));
    expect(await refused([], { PUBLIC_URL: other.url }, "callback-not-ready")).toContain(said);
    await other.close();
  });

  test("when the callback can't be reached", async () => {
    const gone = await serve(() => {});
    await gone.close();
    expect(await refused([], { PUBLIC_URL: gone.url }, "callback-not-ready")).toContain("cannot be reached: ");
  });

  test("when what is signed is refused, because it is signed over another address", async () => {
    const stderr = await refused(
      [],
      { PUBLIC_URL: deployment.url.replace("127.0.0.1", "localhost") },
      "callback-not-ready",
    );
    expect(stderr).toContain("PUBLIC_URL must be letter by letter what is deployed");
  });

  test("when the policy lost its limits, unless that is meant", async () => {
    await triggers(["apply"]);
    await makeForeign();
    await deployment.setPolicy("limits: {}\n");
    const stderr = await refused([], {}, "policy-empty");
    expect(stderr).toContain("6 triggers that would go");
    // The plan, before that.
    expect(stderr).toMatch(/remove +daily-warning +80/);
    const allowed = await triggers(["apply", "--allow-empty"]);
    expect(allowed.code).toBe(0);
    expect(await valuesOf()).toEqual(["finance: monthly 5000"]);
  });

  test("when the accounts are billed in different currencies", async () => {
    const euro = deployment.simulator.addSubaccount({ currency: "EUR", friendlyName: "Paris" }).accountSid;
    const stderr = await refused([], {}, "currencies-differ");
    expect(stderr).toContain("Got: 3 in USD, 1 in EUR");
    expect(stderr).toContain(`${euro} (Paris): EUR`);
    expect(deployment.stored).toEqual([]);

    const ok = await triggers(["apply", "--currency-ok", euro]);
    expect(ok.code).toBe(0);
    expect(await valuesOf(euro)).toEqual(ARMED);
  });

  test("unless the odd one has values of its own, for each limit on money", async () => {
    const euro = deployment.simulator.addSubaccount({ currency: "EUR" }).accountSid;
    await deployment.setPolicy(`${POLICY}accounts:\n  ${euro}: { daily-spend: 90 }\n`);
    await refused([], {}, "currencies-differ");
    await deployment.setPolicy(`${POLICY}accounts:\n  ${euro}: { daily-spend: 90, daily-warning: 70 }\n`);
    expect((await triggers(["apply"])).code).toBe(0);
    expect(await valuesOf(euro)).toEqual(["tollbreaker: daily-spend 90", "tollbreaker: daily-warning 70"]);
  });

  test("when an account is billed in another currency than the policy's", async () => {
    await deployment.setPolicy(`currency: USD\n${POLICY}`);
    const yen = deployment.simulator.addSubaccount({ currency: "JPY", friendlyName: "Kyoto" }).accountSid;
    const stderr = await refused([], {}, "currencies-differ");
    expect(stderr).toContain("Not every account is billed in USD, the policy's currency.");
    expect(stderr).toContain("Got: 3 in USD, 1 in JPY");
    expect(stderr).toContain(`${yen} (Kyoto): JPY`);
    expect(stderr).not.toContain(`${firstSid()} (`);
    expect(stderr).toContain("values of their own in the policy's `accounts`, in their own currency; or correct");

    await deployment.setPolicy(
      `currency: USD\n${POLICY}accounts:\n  ${yen}: { daily-spend: 15000, daily-warning: 9000 }\n`,
    );
    expect((await triggers(["apply"])).code).toBe(0);
    expect(await valuesOf(yen)).toEqual(["tollbreaker: daily-spend 15000", "tollbreaker: daily-warning 9000"]);
  });

  test("when all agree, and the policy doesn't", async () => {
    await deployment.setPolicy(`currency: EUR\n${POLICY}`);
    expect(await refused([], {}, "currencies-differ")).toContain("Got: 3 in USD");
    const all = accounts().map(({ accountSid }) => accountSid);
    expect((await triggers(["apply", "--currency-ok", all.join(",")])).code).toBe(0);
  });

  test("though a spike can't have a value of an account's own", async () => {
    const yen = deployment.simulator.addSubaccount({ currency: "JPY" }).accountSid;
    const spike =
      "  unusual: { category: totalprice, by: price, spike: { times: 8, over: 7d, at-least: 20 }, then: alert }\n";
    const own = `accounts:\n  ${yen}: { daily-spend: 15000, daily-warning: 9000 }\n`;
    await deployment.setPolicy(`currency: USD\n${POLICY}${spike}${own}`);
    expect((await triggers(["apply"])).code).toBe(0);
  });

  test("but not for an account that has used nothing that would tell its currency", () => {
    const account = { sid: firstSid(), friendlyName: "New", status: "active" } as const;
    const yen = { kind: "known", account, currency: "JPY", spentToday: "0" } as const;
    const policy = policyOf(`currency: EUR\n${POLICY}`);
    expect(() => refuseOtherCurrencies(policy, [yen], [])).toThrow("Not every account is billed in EUR");
    expect(() => refuseOtherCurrencies(policy, [{ kind: "none", account }], [])).not.toThrow();
  });

  test("but not for a currency where no limit is money", async () => {
    deployment.simulator.addSubaccount({ currency: "EUR" });
    await deployment.setPolicy("limits:\n  sms: { category: sms, by: count, every: day, at: 100, then: suspend }\n");
    expect((await triggers(["apply"])).code).toBe(0);
  });

  test("what can't be a SID", async () => {
    expect(await triggers(["apply", "--currency-ok", "AC1"])).toMatchObject({ code: 2 });
  });
});

describe("status", () => {
  const Status = z.object({
    accounts: z.array(z.object({ accountSid: z.string(), guards: z.number(), others: z.number(), limits: z.any() })),
  });
  const statusOf = async (accountSid: string) => {
    const { stdout } = await triggers(["status", "--json"]);
    return Status.parse(JSON.parse(stdout)).accounts.find((one) => one.accountSid === accountSid);
  };

  test("tells armed, missing, foreign and outdated apart, and how far each limit is used", async () => {
    await triggers(["apply"]);
    await makeForeign();
    deployment.simulator.setSpend(firstSid(), { price: 85 });
    await deployment.simulator.evaluateTriggers();
    expect(await statusOf(firstSid())).toMatchObject({
      guards: 0,
      others: 1,
      limits: [
        { limit: "daily-warning", state: "armed", currentValue: "85", percent: "106.3", dateFired: expect.any(String) },
        { limit: "daily-spend", state: "armed", at: "100", percent: "85.0", dateFired: null },
      ],
    });

    // What suspends is made first.
    const [spend, warning] = await listed();
    await api().delete(accountPath(firstSid(), `/Usage/Triggers/${warning?.sid}`));
    await api().post(accountPath(firstSid(), `/Usage/Triggers/${spend?.sid}`), {
      CallbackUrl: "https://evil.example.com/",
    });
    expect((await statusOf(firstSid()))?.limits).toMatchObject([
      { state: "missing", percent: null },
      { state: "foreign" },
    ]);

    await deployment.setPolicy(POLICY.replace("at: 100", "at: 170"));
    expect((await statusOf(firstSid()))?.limits).toMatchObject([{}, { state: "outdated", percent: "50.0", at: "170" }]);
  });

  test("for a person: what needs a look comes first", async () => {
    await triggers(["apply"]);
    const last = accounts().at(-1)?.accountSid ?? "";
    const [, warning] = await listed(last);
    await api().delete(accountPath(last, `/Usage/Triggers/${warning?.sid}`));
    deployment.simulator.setStatus(last, "suspended");
    const { code, stdout } = await triggers(["status"]);
    expect(code).toBe(0);
    const [, firstRow = "", secondRow = ""] = stdout.split("\n");
    expect(firstRow).toMatch(new RegExp(`${last}\\) +daily-warning +missing +\\? / 80 +never`));
    expect(secondRow).toMatch(/^ {2}suspended +daily-spend +armed +0 \/ 100 +0\.0 % +never/);
    expect(stdout).toContain("2 of 3 accounts armed.");
  });

  test("without limits nothing is armed, and what is left of ours is said", async () => {
    await triggers(["apply"]);
    await makeForeign();
    await deployment.setPolicy("limits: {}\n");
    const { stdout } = await triggers(["status"]);
    expect(stdout).toContain(
      "0 of 3 accounts armed: the policy has no limits for Twilio to watch; 6 triggers of ours are left.",
    );
    expect(stdout).toContain("2 of no limit, 1 not ours");
    await triggers(["remove", "--yes"]);
    expect((await triggers(["status"])).stdout).toContain("armed: the policy has no limits for Twilio to watch.\n");
  });

  test("one that fires once, and has, is spent", async () => {
    await deployment.setPolicy(
      "limits:\n  ever: { category: totalprice, by: price, every: once, at: 1, then: alert }\n",
    );
    await triggers(["apply"]);
    deployment.simulator.setSpend(firstSid(), { price: 5 });
    await deployment.simulator.evaluateTriggers();
    expect((await statusOf(firstSid()))?.limits).toMatchObject([{ state: "spent", percent: "500.0" }]);
  });
});

describe("remove", () => {
  test("removes what is ours and nothing else", async () => {
    await triggers(["apply"]);
    await makeForeign();
    const { code, stdout, stderr } = await triggers(["remove", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain("6 removed.");
    expect(stderr).toContain("A sweep that still runs puts them back.");
    expect(await valuesOf()).toEqual(["finance: monthly 5000"]);
    expect((await triggers(["remove", "--yes"])).stdout).toBe("Nothing of ours is there.\n");
  });

  test("does not do it unasked", async () => {
    await triggers(["apply"]);
    const { code, stderr } = await triggers(["remove"]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    expect(await valuesOf()).toEqual(ARMED);
  });
});

describe("where Twilio is", () => {
  test("is the local run's, where the environment names none", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-"));
    const { accountSid, authToken } = deployment.simulator.parent();
    const local = {
      url: deployment.url,
      token: "token-of-olga",
      simulatorUrl: deployment.simulator.url,
      simulatedParent: { accountSid, authToken },
      publicUrl: deployment.url,
      policyFile: deployment.policyFile,
      pid: process.pid,
    };
    await writeDiscovery(dataDir, local);
    // A process of its own, as a person runs it.
    const { code, stdout } = await tollbreaker(["triggers", "apply"], { DATA_DIR: dataDir });
    expect(code).toBe(0);
    expect(stdout).toContain("3 of 3 accounts in order.");
    expect(await valuesOf()).toEqual(ARMED);

    const { simulatedParent: _, ...real } = local;
    await writeDiscovery(dataDir, { ...real, simulatorUrl: null });
    const other = await inProcess(["triggers", "plan"], { DATA_DIR: dataDir });
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("(twilio-not-named)") });
    await rm(dataDir, { recursive: true });
  });

  test.each([
    ["TWILIO_AUTH_TOKEN", "", "twilio-auth-token-missing"],
    ["PUBLIC_URL", "", "config-invalid"],
    ["PUBLIC_URL", "ftp://x", "config-invalid"],
    ["TWILIO_ACCOUNT_SID", "AC1", "config-invalid"],
    ["TWILIO_ACCOUNT_SID", "SK1", "api-key-given"],
    ["POLICY_FILE", "/nowhere/policy.yml", "policy-unreadable"],
  ])("with %s=%j is refused", async (name, value, code) => {
    const ended = await triggers(["plan"], { [name]: value });
    expect(ended.code).toBe(code === "policy-unreadable" ? 1 : 2);
    expect(ended.stderr).toContain(`(${code})`);
  });

  test("with wrong credentials says so", async () => {
    const ended = await triggers(["plan"], { TWILIO_AUTH_TOKEN: "0".repeat(32) });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("our credentials are refused") });
  });
});
