import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { addressProblems } from "../../cli/doctor/callback.ts";
import { judge } from "../../cli/doctor/clock.ts";
import { unknowns } from "../../cli/doctor/unknowns.ts";
import { survey } from "../../cli/triggers/survey.ts";
import { findTwilio, policyOf } from "../../cli/twilio-access.ts";
import { STATIONS } from "../../lib/drills/drill-store.ts";
import { accountPath, apiOf } from "../local/twilio/api.ts";
import { serve, tollbreaker } from "./command-line.ts";
import { type Deployment, POLICY, passed, startDeployment } from "./deployment.ts";
import { inProcess } from "./in-process.ts";

let deployment: Deployment;
beforeEach(async () => {
  deployment = await startDeployment();
});
afterEach(() => deployment.close());

const Report = z.object({
  findings: z.array(z.object({ about: z.string(), grade: z.string(), seen: z.string(), mend: z.nullable(z.string()) })),
  counts: z.object({ good: z.number(), warn: z.number(), wrong: z.number(), open: z.number() }),
});

async function doctor(changes: Record<string, string> = {}, words: string[] = []) {
  const ended = await inProcess(["doctor", "--json", ...words], { ...deployment.environment, ...changes });
  const { findings, counts } = Report.parse(JSON.parse(ended.stdout));
  return { ...ended, findings, counts, of: (about: string) => findings.filter((one) => one.about === about) };
}
const apply = () => inProcess(["triggers", "apply"], deployment.environment);
const CALLED = () => `${deployment.url}/webhooks/usage-trigger`;
const firstSid = () => deployment.simulator.subaccounts()[0]?.accountSid ?? "";
const changesAtTwilio = () => deployment.simulator.requests().filter(({ method }) => method !== "GET");

test("where all is well: a line for each check, what was seen, and exit code 0", async () => {
  await apply();
  const before = [changesAtTwilio().length, deployment.stored.length];
  const { code, stdout, stderr } = await tollbreaker(["doctor"], deployment.environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const line of [
    /^✓ credentials +the primary auth token of the parent account .* \(AC\w+\)$/m,
    /^✓ parent account +active$/m,
    /^✓ clock +agrees with Twilio's$/m,
    /^✓ callback +http:.*: an unsigned request is refused \(403\)$/m,
    /^✓ operator API +http:.* lets your token in; 1 may act$/m,
    /^✓ subaccounts +3 active, 0 suspended, 0 closed; each one's auth token can be read$/m,
    /^✓ policy +2 limits, and every account that it names is there$/m,
    /^✓ usage triggers +3 of 3 accounts carry what the policy wants$/m,
    /^✓ currency +3 in USD$/m,
    /^\? parent trigger .* Seen: this Twilio is simulated\. → /m,
    /^\? topic and Slack +not tried → `tollbreaker doctor --send`/m,
  ])
    expect(stdout).toMatch(line);
  expect(stdout).toMatch(/9 fine, 0 to look at, 0 wrong, 13 open\.\n$/);
  // Nothing was changed, and nobody was told.
  expect([changesAtTwilio().length, deployment.stored.length]).toEqual(before);
});

test("each finding that is not good says how it is mended, and anything wrong is exit code 1", async () => {
  const { code, findings, counts, stderr } = await doctor();
  expect(code).toBe(1);
  expect(counts.wrong).toBe(1);
  expect(stderr).toContain("1 thing is wrong.");
  for (const { grade, mend } of findings) expect(mend === null).toBe(grade === "good");
});

describe("triggers", () => {
  test("that are missing", async () => {
    expect((await doctor()).of("usage triggers")).toEqual([
      {
        about: "usage triggers",
        grade: "wrong",
        seen: "0 of 3 accounts carry what the policy wants: 6 missing, 0 of another value, 0 that call somebody else, 0 too many",
        mend: "`tollbreaker triggers apply`",
      },
    ]);
  });

  test("that are missing, while the callback is not right: apply would refuse", async () => {
    const other = await serve((_, response) => response.writeHead(404).end());
    const [found] = (await doctor({ PUBLIC_URL: other.url })).of("usage triggers");
    expect(found?.mend).toBe("mend the callback first; then run this again");
    await apply();
    const [armed] = (await doctor({ PUBLIC_URL: other.url })).of("usage triggers");
    expect(armed?.mend).toMatch(new RegExp(`^they call ${CALLED()}: is PUBLIC_URL wrong\\?.*; then run this again$`));
    await other.close();
  });

  test("that all call the same other address: PUBLIC_URL is doubted", async () => {
    await apply();
    const [found] = (await doctor({ PUBLIC_URL: deployment.url.replace("127.0.0.1", "localhost") })).of(
      "usage triggers",
    );
    expect(found).toMatchObject({
      seen: expect.stringContaining("6 that call somebody else"),
      mend: `they call ${CALLED()}: is PUBLIC_URL wrong? It must be letter by letter what is deployed; if it is right, \`tollbreaker triggers apply\``,
    });
  });

  test("of which one calls somebody else: PUBLIC_URL is not doubted", async () => {
    await apply();
    const { get, post } = apiOf(deployment.simulator);
    const { body } = await get(accountPath(firstSid(), "/Usage/Triggers"));
    const [{ sid }] = body.usage_triggers;
    await post(accountPath(firstSid(), `/Usage/Triggers/${sid}`), { CallbackUrl: "https://evil.example.com/" });
    expect((await doctor()).of("usage triggers")).toMatchObject([{ mend: "`tollbreaker triggers apply`" }]);
  });

  test("that a policy without limits leaves", async () => {
    await apply();
    await deployment.setPolicy("limits: {}\n");
    expect((await doctor()).of("usage triggers")).toMatchObject([
      { grade: "wrong", mend: expect.stringMatching(/^write limits into the policy; .* apply --allow-empty`$/) },
    ]);
  });

  test("that fire only once and have fired", async () => {
    await deployment.setPolicy(
      "limits:\n  ever: { category: totalprice, by: price, every: once, at: 1, then: suspend }\n",
    );
    await apply();
    deployment.simulator.setSpend(firstSid(), { price: 5 });
    await deployment.simulator.evaluateTriggers();
    expect((await doctor()).of("usage triggers")).toMatchObject([
      { grade: "good" },
      { grade: "wrong", seen: expect.stringContaining("ever has fired and is silent for good; nothing guards it") },
      { grade: "warn", seen: "ever fires only once, and has fired on 1 account" },
    ]);
  });

  test("of an account that can't be read", async () => {
    await apply();
    deployment.simulator.addFault({
      effect: { kind: "status", status: 500 },
      accountSid: firstSid(),
      path: "Triggers",
    });
    const { of, code } = await doctor();
    expect(of("usage triggers")).toMatchObject([
      { grade: "good" },
      { grade: "wrong", seen: expect.stringContaining(`${firstSid()} could not be read: Twilio`) },
    ]);
    expect(code).toBe(1);
  }, 15_000);
});

describe("credentials", () => {
  const credentials = async (changes: Record<string, string>) => {
    const { of, findings } = await doctor(changes);
    // What can't be looked at is said, not passed over.
    if (of("credentials")[0]?.grade === "wrong") expect(findings.map(({ about }) => about)).toContain("accounts");
    return of("credentials")[0];
  };

  test("that Twilio refuses", async () => {
    expect(await credentials({ TWILIO_AUTH_TOKEN: "0".repeat(32) })).toMatchObject({
      grade: "wrong",
      seen: expect.stringMatching(/does not show the account AC\w+: Twilio error 20003 \(HTTP 401\)/),
      mend: expect.stringMatching(/^set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN .* primary auth token/),
    });
  });

  test("are one wrong thing: what could not be looked at is open", async () => {
    const { of, counts } = await doctor({ TWILIO_AUTH_TOKEN: "0".repeat(32) });
    expect(of("accounts")).toMatchObject([{ grade: "open", seen: "not looked at any closer" }]);
    expect(counts.wrong).toBe(1);
  });

  test("that can't be tried, because Twilio can't be reached", async () => {
    expect(await credentials({ TWILIO_API_URL: "http://127.0.0.1:9" })).toMatchObject({
      seen: expect.stringMatching(/does not show the account AC\w+: Twilio: /),
      mend: "check TWILIO_API_URL (http://127.0.0.1:9)",
    });
  }, 15_000);

  test("of a subaccount", async () => {
    const { accountSid, authToken } = deployment.simulator.account(firstSid());
    expect(await credentials({ TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken })).toMatchObject({
      grade: "wrong",
      seen: expect.stringContaining(`is a subaccount of ${deployment.simulator.parent().accountSid}`),
    });
  });

  test("of an API key, by its SID", async () => {
    const { of, code } = await doctor({ TWILIO_ACCOUNT_SID: `SK${"1".repeat(32)}` });
    expect(of("configuration")).toMatchObject([
      { grade: "wrong", seen: expect.stringContaining("(api-key-given)"), mend: expect.stringContaining("parent") },
    ]);
    expect(code).toBe(1);
  });

  test("that hide auth tokens", async () => {
    const twilio = await withoutTokens(deployment.simulator.url);
    const { of } = await doctor({ TWILIO_API_URL: twilio.url });
    expect(of("credentials")).toMatchObject([{ grade: "wrong", seen: expect.stringMatching(/^an API key's/) }]);
    await twilio.close();
  });

  test("none at all, and no local run", async () => {
    const { stdout, code } = await inProcess(["doctor", "--json"], { DATA_DIR: "/nowhere" });
    expect(code).toBe(1);
    expect(Report.parse(JSON.parse(stdout)).findings).toMatchObject([
      { about: "configuration", grade: "wrong", mend: expect.stringContaining("npm start") },
    ]);
  });

  test("of a parent that is suspended", async () => {
    deployment.simulator.setStatus(deployment.simulator.parent().accountSid, "suspended");
    expect((await doctor()).of("parent account")).toMatchObject([
      { grade: "wrong", seen: "suspended", mend: expect.stringContaining("only Twilio Support") },
    ]);
  });
});

describe("the callback", () => {
  test("that nobody serves", async () => {
    const other = await serve((_, response) => response.writeHead(404).end());
    const { of, code } = await doctor({ PUBLIC_URL: other.url });
    expect(of("callback")).toMatchObject([{ grade: "wrong", mend: expect.stringContaining("check PUBLIC_URL") }]);
    expect(code).toBe(1);
    await other.close();
  });

  test.each([
    ["https://tollbreaker.example.com", []],
    ["http://tollbreaker.example.com", ["warn"]],
    ["https://localhost:3000", ["wrong"]],
    ["https://127.0.0.1", ["wrong"]],
    ["https://192.168.1.5", ["wrong"]],
    ["https://172.20.1.5", ["wrong"]],
    ["https://172.40.1.5", []],
    ["https://[::1]", ["wrong"]],
  ])("at %s", (publicUrl, grades) => {
    expect(addressProblems(publicUrl).map(({ grade }) => grade)).toEqual(grades);
  });
});

describe("the operator API", () => {
  test("that refuses the token", async () => {
    expect((await doctor({ TOLLBREAKER_TOKEN: "wrong" })).of("operator API")).toMatchObject([
      { grade: "wrong", seen: expect.stringContaining("(token-unknown)") },
    ]);
  });

  test("that can't be reached", async () => {
    expect((await doctor({ TOLLBREAKER_URL: "http://127.0.0.1:9" })).of("operator API")).toMatchObject([
      { grade: "wrong", seen: expect.stringContaining("(server-unreachable)"), mend: expect.any(String) },
    ]);
  });
});

describe("the policy", () => {
  const NOWHERE = `AC${"9".repeat(32)}`;

  test("against the accounts", async () => {
    const closed = deployment.simulator.addSubaccount().accountSid;
    deployment.simulator.setStatus(closed, "closed");
    const parent = deployment.simulator.parent().accountSid;
    await deployment.setPolicy(`${POLICY}
exempt:
  - { account: ${NOWHERE}, why: a slip }
  - { account: ${closed}, why: gone }
  - { account: ${parent}, why: the parent }
  - { account: ${firstSid()}, why: fine }
accounts:
  ${`AC${"8".repeat(32)}`}: { daily-spend: 500 }
`);
    expect((await doctor()).of("policy").map(({ grade, seen }) => `${grade} ${seen}`)).toEqual([
      `wrong exempt: ${NOWHERE} is none of the 4 subaccounts`,
      `warn exempt: ${closed} is closed, for ever`,
      `warn exempt: ${parent} is the parent account, which is never suspended`,
      `wrong accounts: AC${"8".repeat(32)} is none of the 4 subaccounts`,
    ]);
  });

  test("with a category that Twilio may not know", async () => {
    await deployment.setPolicy(
      POLICY.replace(
        "category: totalprice, by: price, every: day, at: 80",
        "category: totalprise, by: price, every: day, at: 80",
      ),
    );
    expect((await doctor()).of("policy")).toMatchObject([
      { grade: "warn", seen: expect.stringContaining("Did you mean totalprice?") },
    ]);
  });

  test("that can't be used", async () => {
    await deployment.setPolicy("limits: 5\n");
    const { of, code } = await doctor();
    expect(of("policy")).toMatchObject([{ grade: "wrong", seen: expect.stringContaining("(policy-invalid)") }]);
    expect(code).toBe(1);
  });
});

test("accounts that are billed in different currencies", async () => {
  await apply();
  deployment.simulator.addSubaccount({ currency: "EUR" });
  expect((await doctor()).of("currency")).toMatchObject([
    { grade: "wrong", seen: "the accounts are billed in different ones: 3 in USD, 1 in EUR" },
  ]);
});

test("accounts that are billed in another currency than the policy's", async () => {
  await deployment.setPolicy(`currency: USD\n${POLICY}`);
  await apply();
  expect((await doctor()).of("currency")).toMatchObject([{ grade: "good", seen: "3 in USD" }]);
  const { accountSid } = deployment.simulator.addSubaccount({ currency: "JPY", friendlyName: "Kyoto" });
  expect((await doctor()).of("currency")).toMatchObject([
    {
      grade: "wrong",
      seen: `the policy is in USD, and the accounts are 3 in USD, 1 in JPY: ${accountSid} (Kyoto): JPY`,
      mend: expect.stringMatching(/values of their own .* `accounts`; or correct its `currency`/),
    },
  ]);
  await deployment.setPolicy(`currency: EUR\n${POLICY}`);
  deployment.simulator.addSubaccount();
  deployment.simulator.addSubaccount();
  expect((await doctor()).of("currency")).toMatchObject([
    { grade: "wrong", seen: expect.stringMatching(/and 1 more$/) },
  ]);
});

describe("--send", () => {
  test("tries the topic and Slack by a rehearsal", async () => {
    await apply();
    const { of, code } = await doctor({}, ["--send"]);
    expect(of("topic and Slack")).toMatchObject([
      { grade: "good", seen: expect.stringMatching(/^a rehearsal passed every station in -?[\d.]+ m?s/) },
    ]);
    expect(code).toBe(0);
    expect(deployment.stored.at(-1)).toMatchObject({ kind: "drill" });
  });

  test("says where it ended", async () => {
    deployment.control.responds = () =>
      STATIONS.map((station) =>
        passed(station, station === "slack-told" ? { isGood: false, said: "no such hook" } : {}),
      );
    expect((await doctor({}, ["--send"])).of("topic and Slack")).toMatchObject([
      {
        grade: "wrong",
        seen: 'a rehearsal ended at "Slack told": no such hook',
        mend: expect.stringContaining("notify"),
      },
    ]);
  });
});

describe("the clock", () => {
  const now = Date.parse("2026-11-21T03:04:05.500Z");
  test.each([
    [now, "good", "agrees with Twilio's"],
    [now + 4999, "good", "agrees"],
    [now + 5001, "warn", "5.0 s ahead of Twilio's"],
    [now - 59_000, "warn", "59.0 s behind Twilio's"],
    [now - 61_000, "wrong", "1 min 1 s behind"],
  ])("at %i: %s", (at, grade, seen) => {
    expect(judge("Sat, 21 Nov 2026 03:04:05 GMT", at)).toMatchObject({ grade, seen: expect.stringContaining(seen) });
  });

  test.each([null, "", "soon"])("an answer with the date %j tells nothing", (date) => {
    expect(judge(date, now)).toMatchObject({ grade: "warn" });
  });

  test("that differs from Twilio's", async () => {
    const past = await serve((_, response) =>
      response.writeHead(401, { date: "Sat, 21 Nov 2020 03:04:05 GMT" }).end("{}"),
    );
    expect((await doctor({ TWILIO_API_URL: past.url })).of("clock")).toMatchObject([
      { grade: "wrong", seen: expect.stringContaining("ahead of Twilio's") },
    ]);
    await past.close();
  });
});

describe("what only a live account answers", () => {
  const account = { sid: `AC${"1".repeat(32)}`, friendlyName: "", status: "suspended" } as const;
  const nothing = { found: { surveyed: [], unread: [] }, currencies: [], parentSpentToday: null, isReal: true };
  const seenOf = (sighted: Parameters<typeof unknowns>[0], about: string) =>
    unknowns(sighted).find((one) => one.about === about)?.seen;

  test("is said with how to find out, whether or not anything was seen", () => {
    for (const { grade, seen, mend } of unknowns(nothing)) {
      expect([grade, mend === ""]).toEqual(["open", false]);
      expect(seen).toMatch(/\? Seen: nothing that tells\.$/);
    }
  });

  test("whether the triggers of a suspended account can be read", () => {
    const found = { surveyed: [], unread: [{ account, why: "401" }] };
    expect(seenOf({ ...nothing, found }, "suspended reads")).toContain(
      "the triggers of 0 suspended accounts could be read, of 1 not",
    );
  });

  test.each([
    ["12.5", "may include"],
    ["3.0", "may include"],
    ["2.99", "do not include"],
  ])("whether the parent's usage of %s holds its subaccounts'", (parentSpentToday, said) => {
    const currencies = ["1.5", "1.5"].map(
      (spentToday) => ({ kind: "known", account, currency: "USD", spentToday }) as const,
    );
    expect(seenOf({ ...nothing, currencies, parentSpentToday }, "parent trigger")).toContain(
      `today's Usage Records of the parent (${parentSpentToday}) ${said}`,
    );
  });

  test("how Twilio lists times and addresses", async () => {
    await apply();
    deployment.simulator.setSpend(firstSid(), { price: 90 });
    await deployment.simulator.evaluateTriggers();
    const access = await findTwilio(deployment.environment);
    const found = await survey(access, policyOf(access), { status: () => {} });
    expect(seenOf({ ...nothing, found }, "overrides")).toContain("6 of 6 of ours are listed with them");
    expect(seenOf({ ...nothing, found }, "times of firings")).toMatch(
      /its lists say "\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000"/,
    );
  });
});

/** The simulated Twilio, as an API key sees it. */
async function withoutTokens(target: string) {
  const server = createServer(async (request, response) => {
    const { authorization = "" } = request.headers;
    const answer = await fetch(target + (request.url ?? ""), { headers: { authorization } });
    const body = (await answer.text()).replace(/"auth_token":"[^"]*"/g, '"auth_token":""');
    response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
