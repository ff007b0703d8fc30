import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../../lib/incidents/checklist.ts";
import { accepted, freshChecklist, ID, own, ScriptedApi } from "../scripted-api.ts";
import { runAt, type Script } from "../scripted-terminal.ts";

const PATH = `/api/incidents/${ID}/reactivate`;
const REASON = ["--reason", "leaked key revoked"];
const BOTH = ["--acknowledge", "api-keys,auth-token"];

let api: ScriptedApi;
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
  api.incident = { ...api.incident, checklist: listWith("2 from before the incident") };
  api.on(`POST ${PATH}`, comesBack);
});
afterEach(() => api.close());

const reactivate = (flags: readonly string[], script?: Script) =>
  runAt(["incidents", "reactivate", ID, ...REASON, ...flags], api.environment, script);

/** As the operator API shows it. */
function listWith(keys: string) {
  const { readAt, items } = freshChecklist();
  const others = items.map((item) => (item.id === "api-keys" ? { ...item, why: keys } : item));
  return { readAt, items: others, digest: digestOf({ items: others as Parameters<typeof digestOf>[0]["items"] }) };
}

const digest = () => api.incident.checklist?.digest ?? "";

function comesBack() {
  api.add(own("c1", "reactivation-asked"), own("c1", "reactivated"));
  return accepted("c1");
}

/** A key is made, and the list read anew, while the operator answers: the first request comes too late for its list. */
function thiefMakesKey(): void {
  api.on(`POST ${PATH}`, () => {
    const checklist = listWith("2 from before the incident, 1 made during it: SKthief");
    api.incident = { ...api.incident, checklist };
    api.on(`POST ${PATH}`, comesBack);
    const problem = { code: "checklist-changed", detail: "The check-list was read anew since.", checklist };
    return { status: 409, json: { ...problem, status: 409 } };
  });
}

describe("what was on the screen travels with the answers", () => {
  it("of a person", async () => {
    const { code, stderr } = await reactivate([], { answers: ["a\r", "a\r", "yes\r"] });
    expect(code).toBe(0);
    expect(stderr).toContain(digest());
    expect(api.commands[0]?.body).toMatchObject({ acknowledge: ["api-keys", "auth-token"], checklist: digest() });
  });

  it("of a person who answered beforehand, after being shown the list", async () => {
    const { code, stderr } = await reactivate([...BOTH, "--yes"], { answers: ["yes\r"] });
    expect(code).toBe(0);
    expect(stderr).toContain("Type yes: ");
    expect(api.commands[0]?.body).toMatchObject({ checklist: digest() });
  });

  it("of a script only as its --checklist says", async () => {
    await reactivate([...BOTH, "--yes"]);
    expect(api.commands[0]?.body).toEqual({
      reason: "leaked key revoked",
      acknowledge: ["api-keys", "auth-token"],
      cleanup: [],
    });
    const named = await reactivate([...BOTH, "--yes", "--checklist", digest()]);
    expect(named.code).toBe(0);
    expect(api.commands[1]?.body).toMatchObject({ acknowledge: ["api-keys", "auth-token"], checklist: digest() });
  });

  it("of a script as it is, where the list is another one by now: the server has the word", async () => {
    const { stderr } = await reactivate([...BOTH, "--yes", "--checklist", "0123456789abcdef"]);
    expect(api.commands[0]?.body).toMatchObject({ checklist: "0123456789abcdef" });
    expect(stderr).toContain(digest());
  });

  it("also where all is cleaned up, and nothing accepted", async () => {
    expect((await reactivate(["--cleanup", "api-keys,auth-token", "--yes"])).code).toBe(0);
    expect(api.commands[0]?.body).toMatchObject({ acknowledge: [], checklist: digest() });
  });
});

describe("a list that is another one by then", () => {
  it("is shown to the person, who is asked again for all of it", async () => {
    thiefMakesKey();
    const answers = ["yes\r", "c\r", "a\r", "yes\r"];
    const { code, stderr } = await reactivate(BOTH, { answers });
    expect(code).toBe(0);
    expect(stderr).toContain("read anew meanwhile");
    expect(stderr).toContain("SKthief");
    const [first, second] = api.commands.map(({ body }) => body);
    expect(first).toMatchObject({ acknowledge: ["api-keys", "auth-token"] });
    expect(second).toMatchObject({ cleanup: ["api-keys"], acknowledge: ["auth-token"], checklist: digest() });
  });

  it("is shown to a script, with what it would carry: exit 6, and nothing is sent again", async () => {
    thiefMakesKey();
    const { code, stderr } = await reactivate([...BOTH, "--yes", "--checklist", digest()]);
    expect(code).toBe(6);
    expect(stderr).toContain("(checklist-changed)");
    expect(stderr).toContain("SKthief");
    expect(stderr).toContain(`--checklist ${digest()}`);
    expect(api.commands).toHaveLength(1);
  });

  it("is shown when the responder found it, also what was acknowledged as it was", async () => {
    const seen = api.incident.checklist?.items ?? [];
    api.on(`POST ${PATH}`, () => {
      const wish = { command: "c1", operator: "olga", road: "cli", reason: "leaked key revoked", at: "" };
      const answers = { acknowledge: ["api-keys", "auth-token"], cleanup: [], countries: [], seen, cleaned: [] };
      const rest = { guards: [], probationUntil: null, activatedAt: null, suspendedFor: null, failure: "not in order" };
      const checklist = listWith("2 from before the incident, 1 made during it: SKthief");
      api.incident = { ...api.incident, checklist, reactivation: { ...wish, ...answers, ...rest } };
      api.add(own("c1", "reactivation-asked"), own("c1", "reactivation-refused", "not in order"));
      return accepted("c1");
    });
    const { code, stderr } = await reactivate([...BOTH, "--yes", "--checklist", digest()]);
    expect(code).toBe(6);
    expect(stderr).toContain("api-keys (2 from before the incident, 1 made during it: SKthief):");
    expect(stderr).not.toContain("auth-token (it was not seen):");
    expect(stderr).toContain(`--checklist ${digest()}`);
  });
});
