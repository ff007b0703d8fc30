import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT, accepted, freshChecklist, ID, own, ScriptedApi } from "../scripted-api.ts";
import { runAt, type Script } from "../scripted-terminal.ts";

let api: ScriptedApi;
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
});
afterEach(() => api.close());

const tollbreaker = (words: readonly string[], script?: Script) => runAt(words, api.environment, script);
const REASON = ["--reason", "it was their campaign"];

const KINDS = [
  { words: ["incidents", "dismiss", ID], path: `/api/incidents/${ID}/dismiss`, end: "dismissed" },
  {
    words: ["incidents", "restore-numbers", ID],
    path: `/api/incidents/${ID}/restore-numbers`,
    end: "numbers-restored",
  },
  { words: ["suspend", ACCOUNT], path: `/api/subaccounts/${ACCOUNT}/suspend`, end: "suspended" },
];

describe.each(KINDS)("$words", ({ words, path, end }) => {
  const carriesOut = (what = end, why = "done") =>
    api.on(`POST ${path}`, () => {
      api.add(own("c1", what, why));
      return accepted("c1");
    });

  it("sends the reason, and shows what came of it", async () => {
    carriesOut();
    const { code, stdout } = await tollbreaker([...words, ...REASON]);
    expect(code).toBe(0);
    expect(api.commands[0]?.body).toMatchObject({ reason: "it was their campaign" });
    expect(api.commands[0]?.headers).toMatchObject({ "tollbreaker-road": "cli" });
    expect(stdout).toContain(`  +0 ms      ${end.padEnd(26)}done\n`);
    expect(stdout).toContain(`Northwind (${ACCOUNT})`);
  });

  it("asks for the reason on a terminal, and nowhere else", async () => {
    carriesOut();
    expect((await tollbreaker(words, { answers: ["asked for, and given\r"] })).code).toBe(0);
    expect(api.commands[0]?.body).toMatchObject({ reason: "asked for, and given" });
    const { code, stderr } = await tollbreaker(words);
    expect(code).toBe(2);
    expect(stderr).toContain("--reason '...': why you do this");
    expect(api.commands).toHaveLength(1);
  });

  it("refused by the responder: exit 6, and why", async () => {
    carriesOut("command-refused", "not like this");
    const { code, stderr } = await tollbreaker([...words, ...REASON]);
    expect(code).toBe(6);
    expect(stderr).toContain("nothing was changed: not like this. (command-refused)");
  });

  it("--json prints the outcome alone", async () => {
    carriesOut();
    const { stdout } = await tollbreaker([...words, ...REASON, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "done", incident: { id: ID } });
  });
});

describe("suspend", () => {
  it("names the flags for what the policy says against it", async () => {
    const missing = [{ id: "exempt", why: "the account is exempt (emergency line)" }];
    api.on(`POST /api/subaccounts/${ACCOUNT}/suspend`, () => ({
      status: 422,
      json: { code: "acknowledgement-missing", detail: "The policy is against it.", missing },
    }));
    const { code, stderr } = await tollbreaker(["suspend", ACCOUNT, ...REASON]);
    expect(code).toBe(6);
    expect(stderr).toContain("exempt (the account is exempt (emergency line)): --acknowledge exempt\n");
  });

  it("says what was read, too", async () => {
    api.on(`POST /api/subaccounts/${ACCOUNT}/suspend`, () => {
      api.add(own("c1", "suspended"));
      return accepted("c1");
    });
    await tollbreaker(["suspend", ACCOUNT, ...REASON, "--acknowledge", "exempt,observe-mode"]);
    expect(api.commands[0]?.body).toMatchObject({ acknowledge: ["exempt", "observe-mode"] });
  });

  it("refused by Twilio: exit 7", async () => {
    api.on(`POST /api/subaccounts/${ACCOUNT}/suspend`, () => {
      api.add(own("c1", "opened"), { what: "failed", why: "Authenticate", detail: { retrying: false } });
      return accepted("c1");
    });
    const { code, stderr } = await tollbreaker(["suspend", ACCOUNT, ...REASON]);
    expect(code).toBe(7);
    expect(stderr).toContain("It went wrong: Authenticate.");
  });
});

describe("incidents check", () => {
  const checks = () =>
    api.on(`POST /api/incidents/${ID}/check`, () => {
      api.incident = { ...api.incident, checklist: freshChecklist() };
      api.add(own("k1", "checked"));
      return accepted("k1");
    });

  it("reads the list anew, and shows it with the ways out", async () => {
    api.incident = { ...api.incident, checklist: null };
    checks();
    const { code, stdout } = await tollbreaker(["incidents", "check", ID]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "  ✓ suspended-by  Tollbreaker suspended it",
      "  ✓ live-calls    no call is live",
      "  ✗ api-keys      2 from before the incident",
      "                  --cleanup api-keys      deletes all its API keys; programs that use one stop",
      "                  --acknowledge api-keys  comes back as it is",
      "  ? auth-token    it was not seen",
      "                  --cleanup auth-token      gives it a new auth token right after activation; programs with the old one get 401",
      "                  --acknowledge auth-token  comes back as it is",
      "  ✓ triggers      all 3 are there",
      "",
    ]);
  });

  it("--json is the API's incident", async () => {
    checks();
    const { stdout } = await tollbreaker(["incidents", "check", ID, "--json"]);
    expect(JSON.parse(stdout)).toEqual(api.incident);
  });
});

describe("an answer that does not tell whether the command was taken", () => {
  const PATH = `/api/incidents/${ID}/dismiss`;
  const words = ["incidents", "dismiss", ID, ...REASON];
  const problem = (status: number) => ({ status, json: { code: "internal", detail: "Something failed." } });
  const text = (status: number, json: string) => ({ status, json });
  const UNCLEAR = [
    ["a gateway's 502", text(502, "<h1>Bad Gateway</h1>")],
    ["a gateway's 504", text(504, '{"message":"Endpoint request timed out"}')],
    ["a 500 of the server's own", problem(500)],
    ["half an answer", text(202, '{"command":"c1","inci')],
    ["an answer of another shape", text(202, '"ok"')],
  ] as const;

  it.each(UNCLEAR)("%s: is sent again under the same key", async (_, answer) => {
    api.on(`POST ${PATH}`, () => {
      if (api.commands.length < 2) return answer;
      api.add(own("c1", "dismissed"));
      return accepted("c1");
    });
    expect((await tollbreaker(words)).code).toBe(0);
    const keys = api.commands.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("says that it may have been taken, when it never is another one", async () => {
    api.on(`POST ${PATH}`, () => text(502, "<h1>Bad Gateway</h1>"));
    const { code, stderr } = await tollbreaker(words);
    expect(code).toBe(1);
    expect(stderr).toContain("It may have been taken all the same");
    expect(api.commands).toHaveLength(3);
  });

  it.each([403, 404, 413, 429])("a gateway's own %s is a refusal", async (status) => {
    api.on(`POST ${PATH}`, () => text(status, "<h1>No</h1>"));
    const { code, stderr } = await tollbreaker(words);
    expect(code).toBe(1);
    expect(stderr).not.toContain("may have been taken");
    expect(api.commands).toHaveLength(1);
  });
});
