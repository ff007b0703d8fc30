import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { drillCommand } from "../../cli/drill.ts";
import { lookAt, STOPS } from "../../cli/drill-stations.ts";
import { terminal } from "../../cli/terminal.ts";
import { STATIONS } from "../../lib/drills/drill-store.ts";
import { writeDiscovery } from "../../local/discovery.ts";
import { serve, tollbreaker } from "./command-line.ts";
import { type Deployment, passed, startDeployment } from "./deployment.ts";
import { inProcess } from "./in-process.ts";

let deployment: Deployment;
beforeEach(async () => {
  deployment = await startDeployment();
});
afterEach(() => deployment.close());

const drill = (words: string[] = [], changes: Record<string, string> = {}) =>
  inProcess(["drill", ...words], { ...deployment.environment, ...changes });
const sids = () => deployment.simulator.subaccounts().map(({ accountSid }) => accountSid);

/** As `drill`, for people who don't wait long. */
async function impatientDrill(atMost = 300): Promise<unknown> {
  const silent = { write: () => true };
  const screen = terminal(silent, silent, {});
  return drillCommand({}, deployment.environment, screen, { every: 20, atMost }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

test("prints each station with its time, and suspends nobody", async () => {
  const { code, stdout, stderr } = await tollbreaker(["drill"], deployment.environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  expect(lines[0]).toMatch(new RegExp(`^Rehearsal [0-9a-f-]{36} with ${sids()[0]}: nothing will be suspended\\.$`));
  for (const [index, name] of [
    "webhook answered",
    "received",
    "handled",
    "account read",
    "alert published",
    "Slack told",
  ].entries())
    expect(lines[index + 1]).toMatch(new RegExp(`^  ✓ ${name} +\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z \\+-?[\\d.]+ m?s +`));
  expect(lines.at(-1)).toMatch(/^All stations passed in /);
  expect(deployment.stored).toMatchObject([{ kind: "drill", accountSid: sids()[0] }]);
  expect(deployment.simulator.subaccounts().every(({ status }) => status === "active")).toBe(true);
});

test("takes the account that is named, or else the first active one", async () => {
  deployment.simulator.setStatus(sids()[0] ?? "", "suspended");
  expect((await drill()).code).toBe(0);
  expect((await drill(["--account", sids()[2] ?? ""])).code).toBe(0);
  expect(deployment.stored).toMatchObject([{ accountSid: sids()[1] }, { accountSid: sids()[2] }]);
  expect(await drill(["--account", "AC1"])).toMatchObject({ code: 2 });
});

test("without an active account there is nothing to rehearse with", async () => {
  for (const sid of sids()) deployment.simulator.setStatus(sid, "suspended");
  expect(await drill()).toMatchObject({ code: 4, stderr: expect.stringContaining("--account") });
});

test.each([
  ["that Twilio does not know", () => `AC${"0".repeat(32)}`, "Twilio error 20404"],
  ["that is the parent's", () => deployment.simulator.parent().accountSid, "is the parent account"],
])("a SID %s is refused before anybody is told", async (_, sidOf, got) => {
  const { code, stdout, stderr } = await drill(["--account", sidOf()]);
  expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
  expect(stderr).toContain("Expected: the SID of a subaccount");
  expect(stderr).toMatch(new RegExp(`Got: ${sidOf()}.*${got}.*Fix: copy it .*\\(account-not-found\\)`));
  expect(deployment.stored).toEqual([]);
});

test("an account that Twilio does not tell about is tried: the rehearsal shows what hinders it", async () => {
  const [sid = ""] = sids();
  deployment.simulator.addFault({ effect: { kind: "status", status: 500 }, path: `/Accounts/${sid}\\.json$` });
  expect((await drill(["--account", sid])).code).toBe(0);
  expect(deployment.simulator.requests().some(({ path }) => path.endsWith(`${sid}.json`))).toBe(true);
  expect(deployment.stored).toMatchObject([{ kind: "drill", accountSid: sid }]);
}, 15_000);

test("no advice ends with two marks", () => {
  for (const stop of STOPS) expect(lookAt(stop)).toMatch(/[^?.!]$/);
});

test("--json is JSON and nothing else", async () => {
  const { code, stdout, stderr } = await drill(["--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({
    drillId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    accountSid: sids()[0],
    sentAt: expect.stringMatching(/Z$/),
    stations: ["webhook-answered", ...STATIONS].map((station) => ({ station, isGood: true })),
  });
});

describe("exit code 1, and what to look at,", () => {
  test.each([
    [0, "received", "the inbox"],
    [1, "handled", "the respond function's log"],
    [2, "account read", "auth token"],
    [3, "alert published", "ALERTS_TOPIC_ARN"],
    [4, "Slack told", "the notify queue"],
  ])("when %i stations are passed in time", async (count, name, advice) => {
    deployment.control.responds = () => STATIONS.slice(0, count).map((station) => passed(station));
    expect(await impatientDrill()).toMatchObject({
      exit: 1,
      code: "drill-failed",
      message: expect.stringContaining(`did not pass "${name}" within 300 ms`),
      fix: expect.stringContaining(advice),
    });
  });

  test("when a station says that something is wrong", async () => {
    deployment.control.responds = () =>
      STATIONS.map((station) =>
        passed(station, station === "account-read" ? { isGood: false, said: "it belongs to \u001b[31mAC9" } : {}),
      );
    const { code, stdout, stderr } = await drill();
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ account read .* it belongs to \\u\{1b\}\[31mAC9/);
    expect(stderr).toContain('failed at "account read". Got: it belongs to');
  });

  test("when the webhook does not take it", async () => {
    // So that Twilio, which would refuse it as well, need not be asked.
    const refused = await drill(["--account", sids()[0] ?? ""], { TWILIO_AUTH_TOKEN: "0".repeat(32) });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/✗ webhook answered .*answered with 403: the signature was not accepted/);
    expect(refused.stderr).toContain('failed at "webhook answered"');
    expect(deployment.stored).toEqual([]);
  });
});

test("what failed and then went well went well", async () => {
  let reads = 0;
  deployment.control.responds = () => STATIONS.slice(0, 3).map((station) => passed(station));
  const id = () => [...deployment.drills.keys()][0] ?? "";
  const timer = setInterval(() => {
    reads += 1;
    const soFar = STATIONS.slice(0, 3).map((station) => passed(station));
    const published = passed("alert-published", { isGood: reads > 3 });
    if (id() !== "")
      deployment.drills.set(id(), reads > 3 ? STATIONS.map((one) => passed(one)) : [...soFar, published]);
  }, 40);
  expect(await impatientDrill(5000)).toBeUndefined();
  clearInterval(timer);
});

test("the operator API is behind the same address, unless TOLLBREAKER_URL names another one", async () => {
  const other = await serve((_, response) => response.writeHead(401, { "content-type": "application/json" }).end("{}"));
  const { code, stdout } = await drill([], { TOLLBREAKER_URL: other.url });
  expect(code).not.toBe(0);
  expect(stdout).toContain("✓ webhook answered");
  expect(stdout).not.toContain("received");
  await other.close();
  expect(await drill([], { TOLLBREAKER_TOKEN: "wrong" })).toMatchObject({ code: 5 });
});

test("against the local run nothing has to be named; a token for elsewhere does not get in the way", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-"));
  const { accountSid, authToken } = deployment.simulator.parent();
  await writeDiscovery(dataDir, {
    url: deployment.url,
    token: deployment.environment.TOLLBREAKER_TOKEN,
    simulatorUrl: deployment.simulator.url,
    simulatedParent: { accountSid, authToken },
    publicUrl: deployment.url,
    pid: process.pid,
  });
  const elsewhere = { TOLLBREAKER_URL: "http://127.0.0.1:9", TOLLBREAKER_TOKEN: "wrong" };
  expect((await inProcess(["drill"], { DATA_DIR: dataDir })).code).toBe(0);
  expect((await inProcess(["drill"], { DATA_DIR: dataDir, ...elsewhere })).code).toBe(0);
  await rm(dataDir, { recursive: true });
});
