import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT, accepted, ID, own, ScriptedApi } from "../scripted-api.ts";
import { runAt, type Script } from "../scripted-terminal.ts";

const OTHER = `AC${"b2".repeat(16)}`;
const SINCE = "2026-11-21T03:00:00.000Z";

let api: ScriptedApi;
let waiting: { accountSid: string; incidentId: string; since: string; counted?: object }[];
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
  waiting = [{ accountSid: ACCOUNT, incidentId: ID, since: SINCE }];
  const suspensions = [OTHER, OTHER].map((accountSid) => ({ accountSid, at: SINCE }));
  const limit = { suspensions: 5, withinSeconds: 600 };
  api.on("GET /api/brake", () => ({ status: 200, json: { suspensions, waiting, limit } }));
});
afterEach(() => api.close());

const brake = (words: readonly string[], script?: Script) => runAt(["brake", ...words], api.environment, script);
const releases = (...lines: (readonly [what: string, why: string])[]) =>
  api.on("POST /api/brake/release", () => {
    for (const [what, why] of lines) api.add(own(`r1:${ACCOUNT}`, what, why));
    return accepted("r1", null);
  });

describe("brake show", () => {
  it("says who waits, what counts, and what to type", async () => {
    const { code, stdout } = await brake(["show"]);
    expect(code).toBe(0);
    expect(stdout).toContain("The brake holds 1 account.\n1 of 5 accounts suspended within 10 min count now.");
    expect(stdout).toContain(`${ACCOUNT}  ${ID}`);
    expect(stdout).toContain("brake release --reason '...'");
  });

  it("says what was counted against the limit of each", async () => {
    const counted = { usageCategory: "totalprice", triggerBy: "price", currentValue: "1130.25", triggerValue: "100" };
    waiting = [{ accountSid: ACCOUNT, incidentId: ID, since: SINCE, counted: { ...counted, currency: "USD" } }];
    expect((await brake(["show"])).stdout).toContain(`${ID}  1,130.25 of 100 USD totalprice  `);
  });

  it("of nobody is short", async () => {
    waiting = [];
    const { stdout } = await brake(["show"]);
    expect(stdout).toBe("The brake holds nobody.\n1 of 5 accounts suspended within 10 min count now.\n");
  });

  it("--json is the API's", async () => {
    expect(JSON.parse((await brake(["show", "--json"])).stdout)).toMatchObject({ waiting });
  });
});

describe("more than one page of those that wait", () => {
  const sid = (nth: number) => `AC${nth.toString(16).padStart(32, "0")}`;
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, nth) => ({
      ...{ accountSid: sid(from + nth), incidentId: ID },
      // By account, as the API has them: who waited longest is on the last page.
      since: new Date(Date.parse(SINCE) - (from + nth) * 1000).toISOString(),
    }));
  const pagesOf = (...pages: ReturnType<typeof many>[]) => {
    const limit = { suspensions: 5, withinSeconds: 600 };
    for (const [nth, page] of pages.entries()) {
      const next = nth === pages.length - 1 ? null : `c${nth + 1}`;
      const path = nth === 0 ? "GET /api/brake" : `GET /api/brake?limit=1000&cursor=c${nth}`;
      api.on(path, () => ({ status: 200, json: { suspensions: [], waiting: page, next, limit } }));
    }
  };

  it("is read to the end, and shown longest first", async () => {
    pagesOf(many(0, 100), many(100, 1000), many(1100, 3));
    const { code, stdout } = await brake(["show", "--json"]);
    expect(code).toBe(0);
    const shown: { accountSid: string }[] = JSON.parse(stdout).waiting;
    expect(shown.map(({ accountSid }) => accountSid)).toEqual(
      many(0, 1103)
        .map((one) => one.accountSid)
        .reverse(),
    );
    expect((await brake(["show"])).stdout).toContain("The brake holds 1103 accounts.");
  });

  it("is released by name as far as a request has room", async () => {
    pagesOf(many(0, 100), many(100, 200));
    api.on("POST /api/brake/release", () => accepted("r1", null));
    const { code, stdout } = await brake(["release", "--reason", "all are under attack", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Released: 300 accounts.");
    const named = many(0, 300).map((one) => one.accountSid);
    expect(api.commands[0]?.body).toMatchObject({ accounts: named.reverse() });
  });

  it("beyond that as all, and the last question says so", async () => {
    pagesOf(many(0, 100), many(100, 201));
    api.on("POST /api/brake/release", () => accepted("r1", null));
    const { code, stderr } = await brake(["release", "--reason", "all are under attack"], { answers: ["yes\r"] });
    expect(code).toBe(0);
    expect(stderr).toContain("and 251 more: brake show");
    expect(stderr).toContain("Let 301 accounts, and whoever comes to wait until then be suspended? Type yes: ");
    expect(api.commands[0]?.body).toEqual({ reason: "all are under attack", accounts: null });
  });
});

describe("the names of those that wait", () => {
  const page = (state: string, cursor?: string) =>
    `GET /api/incidents?state=${state}&limit=100${cursor === undefined ? "" : `&cursor=${cursor}`}`;
  const listing = (incidents: unknown[], next: string | null = null) => ({ status: 200, json: { incidents, next } });

  it("are those of their incidents, on whatever page", async () => {
    const { timeline, ...incident } = api.incident;
    api.on(page("alerted"), () => listing([{ ...incident, id: "another", friendlyName: "Southwind" }], "c2"));
    api.on(page("alerted", "c2"), () => listing([incident]));
    expect((await brake(["show"])).stdout).toContain(`Northwind  ${ACCOUNT}  ${ID}`);
    releases(["suspended", "by hand"]);
    const { stdout, stderr } = await brake(["release", "--reason", "all are under attack", "--yes"]);
    expect(stderr).toContain(`Northwind  ${ACCOUNT}`);
    expect(stdout).toContain(`Northwind (${ACCOUNT})\n`);
  });

  it("of an account that was suspended before", async () => {
    const { timeline, ...incident } = api.incident;
    api.on(page("alerted"), () => listing([]));
    api.on(page("suspended"), () => listing([incident]));
    expect((await brake(["show"])).stdout).toContain(`Northwind  ${ACCOUNT}`);
  });

  it("are left out when they can't be read", async () => {
    api.on(page("alerted"), () => ({ status: 503, json: { code: "unavailable", detail: "Not now." } }));
    const { code, stdout } = await brake(["show"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${ACCOUNT}  ${ID}`);
  });
});

describe("brake release", () => {
  const FLAGS = ["release", "--reason", "all are under attack"];

  it("asks, names who waits, and shows what becomes of each", async () => {
    releases(["suspension-asked", ""], ["suspended", "by hand"]);
    const { code, stdout, stderr } = await brake(FLAGS, { answers: ["yes\r"] });
    expect(code).toBe(0);
    expect(stderr).toContain(ACCOUNT);
    expect(stderr).toContain("Let 1 account be suspended? Type yes: ");
    expect(api.commands[0]?.body).toEqual({ reason: "all are under attack", accounts: [ACCOUNT] });
    expect(stdout).toMatch(/suspended +by hand\nSuspended: 1 account\.\n$/);
  });

  it("does nothing when the answer is no", async () => {
    expect((await brake(FLAGS, { answers: ["\r"] })).code).toBe(6);
    expect(api.commands).toEqual([]);
  });

  it("without a terminal needs --yes", async () => {
    const { code, stderr } = await brake(["release"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Expected: --reason '...', --yes.");
    expect(api.received).toEqual([]);
  });

  it("only of those that are named, and only of those that wait", async () => {
    waiting.push({ accountSid: OTHER, incidentId: ID, since: SINCE });
    releases(["suspended", ""]);
    expect((await brake([...FLAGS, "--yes", "--accounts", ACCOUNT])).code).toBe(0);
    expect(api.commands[0]?.body).toMatchObject({ accounts: [ACCOUNT] });
    const { code, stderr } = await brake([...FLAGS, "--yes", "--accounts", "AC1"]);
    expect(code).toBe(6);
    expect(stderr).toContain("Got: AC1.");
    expect(api.commands).toHaveLength(1);
  });

  it("one that is not suspended: exit 7, and which", async () => {
    releases(["suspension-asked", ""], ["command-refused", "it is exempt"]);
    const { code, stderr } = await brake([...FLAGS, "--yes"]);
    expect(code).toBe(7);
    expect(stderr).toContain(`  ${ACCOUNT}: it is exempt\n`);
  });

  it("Ctrl-C stops the watching of all: exit 8", async () => {
    waiting.push({ accountSid: OTHER, incidentId: ID, since: SINCE });
    releases(["suspension-asked", "now"]);
    const onOutput = (text: string, interrupt: () => void) => void (text.includes("asked") && interrupt());
    const { code, stderr } = await brake([...FLAGS, "--yes"], { onOutput });
    expect(code).toBe(8);
    expect(stderr).toContain(`${OTHER}: you stopped watching; it goes on`);
  });

  it.each(["", " , "])("--accounts %j names nobody, and is wrong usage", async (accounts) => {
    const { code, stderr } = await brake([...FLAGS, "--yes", "--accounts", accounts]);
    expect(code).toBe(2);
    expect(stderr).toContain("It names no account.");
    expect(api.received).toEqual([]);
  });

  it("of nobody makes it count anew, and releases nobody who joins meanwhile", async () => {
    waiting = [];
    releases();
    const { code, stdout } = await brake([...FLAGS, "--yes"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Released: the brake counts anew.\n" });
    expect(api.commands[0]?.body).toMatchObject({ accounts: [] });
  });
});
