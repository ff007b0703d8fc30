import { afterEach, beforeEach, expect, test } from "vitest";
import { startDeployment } from "../deployment.ts";
import { accepted, own, ScriptedApi } from "../scripted-api.ts";
import { runAt } from "../scripted-terminal.ts";

let api: ScriptedApi;
let deployment: Awaited<ReturnType<typeof startDeployment>>;
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
  deployment = await startDeployment();
});
afterEach(() => Promise.all([api.close(), deployment.close()]));

const adopt = (...words: string[]) =>
  runAt(["accounts", "adopt", ...words, "--reason", "found suspended by the first sweep"], {
    ...deployment.environment,
    ...api.environment,
  });
const sids = () => deployment.simulator.subaccounts().map(({ accountSid }) => accountSid);
const path = (sid: string) => `/api/subaccounts/${sid}/adopt`;
const takes = (sid: string, what = "adopted") =>
  api.on(`POST ${path(sid)}`, () => {
    api.add(own(sid, what, "because"));
    return accepted(sid);
  });

test("one: sends the reason, follows it, and says how it is brought back", async () => {
  const [sid = ""] = sids();
  takes(sid);
  const { code, stdout } = await adopt(sid);
  expect(code).toBe(0);
  expect(api.commands[0]).toMatchObject({ path: path(sid), body: { reason: "found suspended by the first sweep" } });
  expect(stdout).toContain("has an incident now: it is suspended, and not by Tollbreaker. Nothing was changed.");
  expect(stdout).toContain("incidents reactivate");
});

test("one that is not suspended: exit 6, and why", async () => {
  const [sid = ""] = sids();
  takes(sid, "command-refused");
  expect(await adopt(sid)).toMatchObject({ code: 6 });
});

test("all: each that Twilio lists as suspended; one that has an open incident is passed over", async () => {
  const [first = "", second = "", active = ""] = sids();
  for (const sid of [first, second]) deployment.simulator.setStatus(sid, "suspended");
  takes(first);
  api.on(`POST ${path(second)}`, () => ({
    status: 409,
    json: { code: "state-conflict", detail: "The account is suspended." },
  }));
  const { code, stdout } = await adopt("--all");
  expect(code).toBe(0);
  expect(api.commands.map((one) => one.path)).toEqual([path(first), path(second)]);
  expect(active).not.toBe("");
  expect(stdout).toContain("1 account adopted; 1 had an open incident already.");
});

test("all: one that could not be adopted is named, and the exit code is 7", async () => {
  const [first = "", second = ""] = sids();
  for (const sid of [first, second]) deployment.simulator.setStatus(sid, "suspended");
  takes(first, "command-refused");
  takes(second);
  const { code, stderr } = await adopt("--all");
  expect(code).toBe(7);
  expect(stderr).toContain(`${first}: It was refused`);
  expect(api.commands).toHaveLength(2);
});

test.each([[[]], [[`AC${"1".repeat(32)}`, "--all"]]])(
  "neither or both of a SID and --all: exit 2 (%j)",
  async (words) => {
    expect(await adopt(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining("account-not-named") });
    expect(api.commands).toEqual([]);
  },
);
