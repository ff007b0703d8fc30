import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serve } from "../command-line.ts";
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

describe("suspend, of an account that need not be", () => {
  it.each([
    [
      "closed",
      "is closed, which is final: nothing can be spent there.\n.*: npm run -s tollbreaker -- incidents dismiss ",
    ],
    ["suspended-by-twilio", "is suspended, and by Twilio itself.\n.*: npm run -s tollbreaker -- incidents report "],
  ])("%s: says so", async (by, words) => {
    api.incident = { ...api.incident, checklist: null, containment: { by, callsEnded: 0, callsLeft: 0 } };
    api.on(`POST /api/subaccounts/${ACCOUNT}/suspend`, () => {
      api.add(own("c1", "suspended"));
      return accepted("c1");
    });
    const { code, stdout } = await tollbreaker(["suspend", ACCOUNT, ...REASON]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(words));
  });
});

describe("suspend, of an account", () => {
  it.each([
    ["that was active", { by: "tollbreaker" }, `Northwind (${ACCOUNT}) is suspended.\n`],
    ["that was not", {}, `Northwind (${ACCOUNT}) was not active: nothing was changed.\nwhether it is closed`],
  ])("%s", async (_what, by, words) => {
    api.on(`POST /api/subaccounts/${ACCOUNT}/suspend`, () => {
      api.add(own("c1", "suspended", "", { detail: { command: "c1", ...by } }));
      return accepted("c1");
    });
    expect((await tollbreaker(["suspend", ACCOUNT, ...REASON])).stdout).toContain(words);
  });
});

describe("--json, when it ends before anything is followed", () => {
  const PATH = `/api/incidents/${ID}/dismiss`;
  const words = ["incidents", "dismiss", ID, ...REASON, "--json"];
  const problem = (status: number, detail: string) => ({ status, json: { code: "x", detail } });

  it.each([
    ["refused by the server", problem(409, "Not in this state."), 6, "refused", "Not in this state."],
    ["not let in", problem(401, "No."), 5, "refused", "No."],
    ["no answer that tells", problem(500, "Something failed."), 1, "unknown", "It may have been taken all the same"],
  ])("%s", async (_what, answer, exit, outcome, why) => {
    api.on(`POST ${PATH}`, () => answer);
    const { code, stdout, stderr } = await tollbreaker(words);
    const said = JSON.parse(stdout);
    expect({ code, ...said }).toMatchObject({ code: exit, command: null, incidentId: ID, outcome, incident: null });
    expect(said.why).toContain(why);
    expect(stderr).toContain(why);
  });

  it("an answer missing, an incident that there is not, a server that is not there", async () => {
    const missing = await tollbreaker(["suspend", ACCOUNT, "--json"]);
    expect({ code: missing.code, ...JSON.parse(missing.stdout) }).toMatchObject({
      code: 2,
      incidentId: null,
      outcome: "refused",
    });
    const unknown = await tollbreaker(["incidents", "reactivate", "20260101T000000000-00000000", ...REASON, "--json"]);
    expect({ code: unknown.code, ...JSON.parse(unknown.stdout) }).toMatchObject({ code: 4, outcome: "refused" });
    const gone = await serve(() => {});
    await gone.close();
    const environment = { ...api.environment, TOLLBREAKER_URL: gone.url };
    const silent = await runAt(words, environment);
    expect({ code: silent.code, ...JSON.parse(silent.stdout) }).toMatchObject({ code: 3, outcome: "failed" });
  });

  it("one object, also where it was followed and refused", async () => {
    api.on(`POST ${PATH}`, () => {
      api.add(own("c1", "command-refused", "not like this"));
      return accepted("c1");
    });
    const { stdout } = await tollbreaker(words);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ command: "c1", outcome: "refused", incident: { id: ID } });
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

  it("offers no flag where none helps, and says what does", async () => {
    const items = [{ id: "suspended-by", answer: "not-done", why: "Twilio itself suspended this account" }];
    api.on(`POST /api/incidents/${ID}/check`, () => {
      api.incident = { ...api.incident, checklist: { ...freshChecklist(), items } };
      api.add(own("k1", "checked"));
      return accepted("k1");
    });
    const { stdout } = await tollbreaker(["incidents", "check", ID]);
    expect(stdout).not.toContain("--acknowledge");
    expect(stdout).toContain(`incidents report ${ID}`);
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
