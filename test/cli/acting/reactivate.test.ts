import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { accepted, freshChecklist, ID, own, ScriptedApi } from "../scripted-api.ts";
import { runAt, type Script } from "../scripted-terminal.ts";

let api: ScriptedApi;
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
});
afterEach(() => api.close());

const PATH = `/api/incidents/${ID}/reactivate`;
const ALL = ["--reason", "leaked key revoked", "--cleanup", "api-keys", "--acknowledge", "auth-token", "--yes"];
const reactivate = (flags: readonly string[], script?: Script) =>
  runAt(["incidents", "reactivate", ID, ...flags], api.environment, script);

/** The responder carries it out before the first reading. */
function comesBack(): void {
  api.on(`POST ${PATH}`, () => {
    api.add(
      own("c1", "reactivation-asked", "leaked key revoked"),
      own("c1", "checked"),
      own("c1", "armed", "2 guards"),
    );
    api.add(own("c1", "activated"), own("c1", "reactivated"));
    const wish = {
      command: "c1",
      operator: "olga",
      road: "cli",
      reason: "leaked key revoked",
      at: "2026-11-21T03:10:00Z",
    };
    const answers = { acknowledge: ["auth-token"], cleanup: ["api-keys"], countries: [], cleaned: ["api-keys"] };
    const armed = { guards: ["UT1"], probationUntil: "2026-11-22T03:10:00.000Z", activatedAt: null };
    api.incident = {
      ...api.incident,
      state: "reactivated",
      reactivation: { ...wish, ...answers, ...armed, suspendedFor: 1, failure: null },
    };
    return accepted("c1");
  });
}

describe("without a terminal", () => {
  it("sends what the flags say, shows each step, and what is left to do", async () => {
    comesBack();
    const { code, stdout, stderr } = await reactivate(ALL);
    expect(code).toBe(0);
    const [sent] = api.commands;
    expect(sent?.body).toEqual({ reason: "leaked key revoked", acknowledge: ["auth-token"], cleanup: ["api-keys"] });
    expect(sent?.headers).toMatchObject({ "tollbreaker-road": "cli", authorization: "Bearer token-of-olga" });
    expect(sent?.headers["idempotency-key"]).toMatch(/^[!-~]{1,64}$/);
    expect(stderr).toContain("✓ live-calls");
    expect(stderr).toMatch(/✗ api-keys +2 from before the incident\n +--cleanup api-keys +deletes all/);
    expect(stderr).toMatch(/\? auth-token +it was not seen\n +--cleanup auth-token/);
    expect(stdout.split("\n")).toEqual([
      "  +0 ms      reactivation-asked        leaked key revoked",
      "  +1.0 s     checked",
      "  +2.0 s     armed                     2 guards",
      "  +3.0 s     activated",
      "  +4.0 s     reactivated",
      `Northwind (${api.incident.accountSid}) is active again, and guarded.`,
      "Its programs that used an API key need a new one.",
      "Until 2026-11-22 03:10:00Z it trips at a share of its limits.",
      "",
    ]);
  });

  it.each([
    [[], ["--reason '...'", "--cleanup api-keys or --acknowledge api-keys", "--acknowledge auth-token", "--yes"]],
    [ALL.filter((flag) => flag !== "--yes"), ["--yes"]],
    [["--reason", "leaked key revoked", "--yes", "--acknowledge", "api-keys"], ["--cleanup auth-token"]],
  ])("refuses %j, and names what is missing", async (flags, missing) => {
    const { code, stdout, stderr } = await reactivate(flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("(answers-missing)");
    for (const flag of missing) expect(stderr).toContain(flag);
    expect(api.commands).toEqual([]);
  });

  it.each([
    ["an item that there is not", ["--acknowledge", "api-key"], "There is no api-key. Expected: suspended-by,"],
    ["a clean-up that there is not", ["--cleanup", "suspended-by"], "There is no suspended-by. Expected: live-calls,"],
    ["countries alone", ["--countries", "US"], "go together"],
    ["the clean-up without countries", ["--cleanup", "voice-countries"], "name the countries that may be called"],
    [
      "what is no country, all of them at once",
      ["--cleanup", "voice-countries", "--countries", "US,XX,Germany", "--countries", "UK"],
      'Got: "XX", "GERMANY", "UK".',
    ],
    ["a reason that says nothing", ["--reason", "because"], "(reason-too-short)"],
  ])("refuses %s before it asks the server anything", async (_what, flags, words) => {
    const { code, stderr } = await reactivate(flags);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(api.received).toEqual([]);
  });

  it("takes lists with commas, and flags more than once", async () => {
    comesBack();
    const twice = ["--cleanup", "api-keys,auth-token", "--cleanup", "voice-countries", "--countries", "us,CA"];
    await reactivate([...twice, "--reason", "leaked key revoked", "--yes"]);
    expect(api.commands[0]?.body).toMatchObject({
      cleanup: ["api-keys", "auth-token", "voice-countries"],
      countries: ["US", "CA"],
    });
  });

  it("--json prints the outcome, and nothing else", async () => {
    comesBack();
    const { code, stdout } = await reactivate([...ALL, "--json"]);
    expect(code).toBe(0);
    const outcome = JSON.parse(stdout);
    expect(outcome).toMatchObject({ command: "c1", incidentId: ID, outcome: "done" });
    expect(outcome.incident).toEqual(api.incident);
  });
});

describe("the check-list", () => {
  const checks = () =>
    api.on(`POST /api/incidents/${ID}/check`, () => {
      api.incident = { ...api.incident, checklist: { ...freshChecklist(), items: [] } };
      api.add(own("k1", "checked"));
      return accepted("k1");
    });

  it.each([
    ["is missing", null],
    ["is older than five minutes", -301_000],
    ["is of another clock", 301_000],
  ])("is read anew when it %s", async (_what, offset) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const readAt = offset === null ? null : new Date(Date.now() + offset).toISOString();
    api.incident = { ...api.incident, checklist: readAt === null ? null : { ...freshChecklist(), readAt } };
    checks();
    comesBack();
    expect((await reactivate(["--reason", "leaked key revoked", "--yes"])).code).toBe(0);
    expect(api.commands.map(({ path }) => path)).toEqual([`/api/incidents/${ID}/check`, PATH]);
  });

  it("is not when it was read a moment ago", async () => {
    comesBack();
    await reactivate(ALL);
    expect(api.commands.map(({ path }) => path)).toEqual([PATH]);
  });
});

describe("on a terminal", () => {
  it("asks for the reason, for each open item, and once more with the account's name", async () => {
    comesBack();
    const answers = ["too short\r", "leaked key revoked\r", "what?\r", "c\r", "a\r", "yes\r"];
    const { code, stderr } = await reactivate([], { answers });
    expect(code).toBe(0);
    expect(api.commands[0]?.body).toEqual({
      reason: "leaked key revoked",
      acknowledge: ["auth-token"],
      cleanup: ["api-keys"],
    });
    expect(stderr).toContain("The reason says too little");
    expect(stderr).toContain(`Reactivate Northwind (${api.incident.accountSid})? Type yes: `);
    expect(stderr.match(/c, a or s\? /g)).toHaveLength(3);
  });

  it("asks only for what the flags leave open", async () => {
    comesBack();
    const { code, stderr } = await reactivate(["--cleanup", "api-keys,auth-token", "--reason", "leaked key revoked"], {
      answers: ["y\r"],
    });
    expect(code).toBe(0);
    expect(stderr).not.toContain("c, a or s?");
  });

  it("lets what nobody can clean up only be acknowledged", async () => {
    comesBack();
    const items = [{ id: "suspended-by", answer: "cannot-tell", why: "who did it is not known" }];
    api.incident = { ...api.incident, checklist: { ...freshChecklist(), items } };
    const { code, stderr } = await reactivate(["--reason", "leaked key revoked", "--yes"], { answers: ["c\r", "a\r"] });
    expect(code).toBe(0);
    expect(stderr.match(/(?<!c, )a or s\? /g)).toHaveLength(2);
    expect(api.commands[0]?.body).toMatchObject({ acknowledge: ["suspended-by"], cleanup: [] });
  });

  it.each([
    ["stops at an item", ["leaked key revoked\r", "s\r"]],
    ["says no at the end", ["leaked key revoked\r", "a\r", "a\r", "no\r"]],
    ["says nothing at the end", ["leaked key revoked\r", "a\r", "a\r", "\r"]],
    ["presses Ctrl-C", ["leaked key revoked\r", "\u0003"]],
    ["presses Ctrl-D", ["\u0004"]],
    ["pastes all answers at once", ["leaked key revoked\ra\ra\ryes\r"]],
  ])("nothing is sent when the person %s", async (_what, answers) => {
    const { code, stderr } = await reactivate([], { answers });
    expect(code).toBe(6);
    expect(stderr).toContain("Stopped: nothing was asked for, and nothing was changed. (stopped)");
    expect(api.commands).toEqual([]);
  });

  it("lets no name and no reading act on it", async () => {
    const items = [{ id: "api-keys", answer: "not-done", why: "\u001b[2Jgone\u202e" }];
    const checklist = { ...freshChecklist(), items };
    api.incident = { ...api.incident, friendlyName: "\u001b]0;x\u0007", reason: "\u001b[1m", checklist };
    const { stderr } = await reactivate(["--reason", "leaked key revoked"], { answers: ["a\r", "no\r"] });
    expect(stderr).toContain("\\u{1b}[2Jgone\\u{202e}");
    expect(stderr).not.toContain("\u202e");
    // The line editor's own sequences move the cursor within the line of the question.
    for (const sequence of stderr.split("\u001b").slice(1)) expect(sequence).toMatch(/^\[\d*[GJ]/);
  });
});

describe("refused", () => {
  it.each(["open", "alerted", "failed", "reactivating", "reactivated", "dismissed"])(
    "at once when it is %s, with what can be done instead: exit 6",
    async (state) => {
      api.incident = { ...api.incident, state };
      const { code, stderr } = await reactivate(ALL);
      expect(code).toBe(6);
      expect(stderr).toContain(`Got: ${state}.`);
      expect(stderr).toMatch(/npm run -s tollbreaker -- (incidents|suspend|brake) /);
      expect(api.commands).toEqual([]);
    },
  );

  it("at once when Twilio itself suspended it: only its support can help", async () => {
    const items = [{ id: "suspended-by", answer: "not-done", why: "Twilio itself suspended this account" }];
    api.incident = { ...api.incident, checklist: { ...freshChecklist(), items } };
    const { code, stderr } = await reactivate([...ALL, "--acknowledge", "suspended-by"]);
    expect(code).toBe(6);
    expect(stderr).toContain(`incidents report ${ID}`);
    expect(api.commands).toEqual([]);
  });

  it("when it is active, set so past us, unless it no longer is: that is read anew each time", async () => {
    const items = [{ id: "suspended-by", answer: "not-done", why: "it is active" }];
    const active = { ...freshChecklist(), items, account: "active" };
    api.incident = { ...api.incident, checklist: active };
    api.on(`POST /api/incidents/${ID}/check`, () => {
      const checklist = api.commands.length === 1 ? active : { ...freshChecklist(), account: "suspended" };
      api.incident = { ...api.incident, checklist };
      api.add(own(`k${api.commands.length}`, "checked"));
      return accepted(`k${api.commands.length}`);
    });
    const { code, stderr } = await reactivate(ALL);
    expect({ code, sent: api.commands.length }).toEqual({ code: 6, sent: 1 });
    expect(stderr).toMatch(/\(account-active\)\n.*suspend it first: npm run -s tollbreaker -- suspend AC/);
    comesBack();
    expect((await reactivate(ALL)).code).toBe(0);
  });

  it("by the server: its words, each of its mistakes, and the flags for what is missing", async () => {
    const mistakes = [
      { code: "checklist-incomplete", detail: "Something is open.", expected: "answers", got: "none", fix: "answer" },
      { code: "countries-invalid", detail: "No such country.", got: '"XX"' },
    ];
    const missing = [{ id: "triggers", answer: "not-done", why: "2 are gone" }];
    api.on(`POST ${PATH}`, () => ({ status: 422, json: { ...mistakes[0], status: 422, errors: mistakes, missing } }));
    const { code, stderr } = await reactivate(ALL);
    expect(code).toBe(6);
    expect(stderr.split("\n").slice(-4)).toEqual([
      "tollbreaker: Something is open. Expected: answers. Got: none. Fix: answer. (checklist-incomplete)",
      '  No such country. Got: "XX".',
      "  triggers (2 are gone): --cleanup triggers or --acknowledge triggers",
      "",
    ]);
  });

  it.each<[status: number, exit: number, times?: number]>([
    [401, 5],
    [403, 5],
    [404, 4],
    [409, 6],
    [400, 2],
    [500, 1, 3],
  ])("with HTTP %i: exit %i", async (status, exit, times = 1) => {
    api.on(`POST ${PATH}`, () => ({ status, json: { code: "x", detail: "No.", status } }));
    expect((await reactivate(ALL)).code).toBe(exit);
    expect(api.commands).toHaveLength(times);
  });

  it("by the responder, on its fresh reading: exit 6, and what is open now", async () => {
    api.on(`POST ${PATH}`, () => {
      const wish = { command: "c1", operator: "olga", road: "cli", reason: "leaked key revoked", at: "" };
      const answers = { acknowledge: ["auth-token"], cleanup: [], countries: [], cleaned: [], guards: [] };
      const rest = { probationUntil: null, activatedAt: null, suspendedFor: null, failure: "not in order" };
      api.incident = { ...api.incident, reactivation: { ...wish, ...answers, ...rest } };
      api.add(own("c1", "reactivation-asked"), own("c1", "reactivation-refused", "not in order: api-keys"));
      return accepted("c1");
    });
    const { code, stderr } = await reactivate(ALL);
    expect(code).toBe(6);
    expect(stderr).toContain("It was refused, and nothing was changed: not in order: api-keys. (reactivation-refused)");
    expect(stderr).toContain("api-keys (2 from before the incident): --cleanup api-keys or --acknowledge api-keys");
    expect(stderr).not.toContain("auth-token (it was not seen):");
  });
});

describe("gone wrong: exit 7", () => {
  it("when a step failed", async () => {
    api.on(`POST ${PATH}`, () => {
      api.add(
        own("c1", "reactivation-asked"),
        own("c1", "activated"),
        own("c1", "reactivation-failed", "its auth token"),
      );
      return accepted("c1");
    });
    const { code, stderr } = await reactivate(ALL);
    expect(code).toBe(7);
    expect(stderr).toContain("It went wrong: its auth token. Got: the incident is suspended now.");
  });

  it("when somebody suspended it in the middle", async () => {
    api.on(`POST ${PATH}`, () => {
      api.add(own("c1", "reactivation-asked"), own("other", "suspended", "hands off", { who: "bob" }));
      return accepted("c1");
    });
    const { code, stdout, stderr } = await reactivate(ALL);
    expect(code).toBe(7);
    expect(stdout).toContain("hands off (bob)");
    expect(stderr).toContain("somebody suspended the account meanwhile: hands off");
  });

  it("--json says so, too", async () => {
    api.on(`POST ${PATH}`, () => {
      api.add(own("c1", "reactivation-failed", "no"));
      return accepted("c1");
    });
    const { code, stdout } = await reactivate([...ALL, "--json"]);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "failed", why: "no", incident: { state: "suspended" } });
  });
});

it("Ctrl-C stops the watching, not the command: exit 8", async () => {
  api.on(`POST ${PATH}`, () => {
    api.add(own("c1", "reactivation-asked"));
    return accepted("c1");
  });
  const onOutput = (text: string, interrupt: () => void) => void (text.includes("reactivation-asked") && interrupt());
  const { code, stderr } = await reactivate(ALL, { onOutput });
  expect(code).toBe(8);
  expect(stderr).toContain("You stopped watching. The command goes on.");
  expect(stderr).toContain(`incidents show ${ID}`);
});

it("a request that got no answer is sent again under the same key", async () => {
  comesBack();
  const answer = api.routes.get(`POST ${PATH}`);
  let cut = true;
  api.on(`POST ${PATH}`, (received, of) => {
    const first = cut;
    cut = false;
    return first || answer === undefined ? "cut" : answer(received, of);
  });
  expect((await reactivate(ALL)).code).toBe(0);
  const keys = api.commands.map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

it("a server that fails for a moment while it is read is waited for", async () => {
  comesBack();
  let readings = 0;
  api.on(`GET /api/incidents/${ID}`, (_received, of) => {
    readings += 1;
    if (readings === 2) return "cut";
    if (readings === 3) return { status: 503, json: { code: "unavailable", detail: "Not now." } };
    return { status: 200, json: of.incident };
  });
  expect((await reactivate(ALL)).code).toBe(0);
  expect(readings).toBe(4);
});

describe("a request that never gets an answer", () => {
  it("may have been taken: exit 3, and where to look first", async () => {
    api.on(`POST ${PATH}`, () => "cut");
    const { code, stderr } = await reactivate(ALL);
    expect(code).toBe(3);
    expect(stderr).toContain("It may have been taken all the same: look at the incident before you ask again.");
    expect(new Set(api.commands.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(api.commands).toHaveLength(3);
  });

  it("was not, where the server said so each time", async () => {
    api.on(`POST ${PATH}`, () => ({ status: 429, json: { code: "too-many-attempts", detail: "Later." } }));
    const { code } = await reactivate(ALL);
    expect(code).toBe(1);
    expect(api.commands).toHaveLength(1);
  });
});
