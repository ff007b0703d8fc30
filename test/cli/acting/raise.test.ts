import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RaiseView } from "../../../cli/raise-view.ts";
import { ACCOUNT, accepted, ScriptedApi } from "../scripted-api.ts";
import { runAt } from "../scripted-terminal.ts";

const UNTIL = "2099-01-31T18:00:00.000Z";
const REASON = "a campaign of theirs until the evening";
const PLACE = `/api/subaccounts/${ACCOUNT}/limits/daily-spend`;

let api: ScriptedApi;
let raises: RaiseView[];
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
  raises = [];
  for (const query of ["", `?account=${ACCOUNT}`])
    api.on(`GET /api/raises${query}`, () => ({ status: 200, json: { raises } }));
});
afterEach(() => api.close());

function raised(changes: Partial<RaiseView> = {}): RaiseView {
  return {
    ...{ command: "r1", accountSid: ACCOUNT, limit: "daily-spend", from: "100", to: "500", until: UNTIL },
    ...{ operator: "olga", road: "cli", reason: REASON, at: "2026-11-21T12:00:00.000Z" },
    ...{ ended: null, state: "raised", why: null },
    ...changes,
  };
}
const accounts = (...words: string[]) => runAt(["accounts", ...words], api.environment);
const raise = (...words: string[]) => accounts("raise", ACCOUNT, "--limit", "daily-spend", ...words);

describe("accounts raise", () => {
  it("asks for it, waits for what came of it, and says it", async () => {
    api.on(`POST ${PLACE}/raise`, () => {
      raises = [raised()];
      return accepted("r1", null);
    });
    const { code, stdout } = await raise("--to", "500", "--until", UNTIL, "--reason", REASON);
    expect([code, stdout]).toEqual([
      0,
      `daily-spend of ${ACCOUNT}: raised to 500 by olga until 2099-01-31 18:00:00Z\n`,
    ]);
    expect(api.commands).toMatchObject([{ body: { to: "500", until: UNTIL, reason: REASON } }]);
  });

  it("says why the responder refused it", async () => {
    api.on(`POST ${PLACE}/raise`, () => {
      raises = [raised({ state: "refused", why: "the account is closed" })];
      return accepted("r1", null);
    });
    const { code, stderr } = await raise("--to", "500", "--until", UNTIL, "--reason", REASON);
    expect(code).not.toBe(0);
    expect(stderr).toContain("the account is closed");
  });

  it("shows the API's refusal with what it expected", async () => {
    const problem = {
      code: "raise-too-high",
      detail: "The policy allows 10 times the limit.",
      expected: "1000 at most",
    };
    api.on(`POST ${PLACE}/raise`, () => ({ status: 422, json: problem }));
    const { code, stderr } = await raise("--to", "5000", "--until", UNTIL, "--reason", REASON);
    expect(code).not.toBe(0);
    expect(stderr).toContain("1000 at most");
  });

  it("needs all of it where nobody can be asked, and sends nothing before", async () => {
    const { stderr } = await raise("--reason", REASON);
    expect(stderr).toContain("--to N");
    expect(stderr).toContain("--until TIME");
    expect(api.commands).toEqual([]);
  });

  it("--end takes it back, and says what counts", async () => {
    raises = [raised()];
    const rest = { to: "400", until: "2099-01-31T23:59:59.000Z" };
    api.on(`POST ${PLACE}/end-raise`, () => {
      const at = "2026-11-21T13:00:00.000Z";
      raises = [raised({ state: "resting", ended: { at, operator: "olga", reason: REASON, spent: "300", rest } })];
      return accepted("e1", null);
    });
    const { code, stdout } = await raise("--end", "--reason", REASON);
    expect(code).toBe(0);
    expect(stdout).toContain("ended; 400 until 2099-01-31 23:59:59Z");
    expect(api.commands).toMatchObject([{ body: { reason: REASON } }]);
  });

  it("--end of what is not raised, or with a value, sends nothing", async () => {
    expect((await raise("--end", "--reason", REASON)).stderr).toContain("is not raised");
    expect((await raise("--end", "--to", "500", "--reason", REASON)).stderr).toContain("--end alone");
    expect(api.commands).toEqual([]);
  });
});

describe("accounts raises", () => {
  it("lists them for a person, and as the API has them", async () => {
    raises = [raised()];
    const { stdout } = await accounts("raises");
    expect(stdout).toContain("100 to 500");
    expect(stdout).toContain("until 2099-01-31 18:00:00Z");
    expect(stdout).toContain(`olga: ${REASON}`);
    expect(JSON.parse((await accounts("raises", "--json")).stdout)).toEqual({ raises });
  });

  it("says that there are none", async () => {
    expect((await accounts("raises", "--account", ACCOUNT)).stdout).toBe("No limit is raised, and none was lately.\n");
  });
});
