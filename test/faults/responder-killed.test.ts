import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { identityOf, type Signal } from "../../lib/inbox/messages.ts";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type Recorded, type Rig, startRig } from "../support/responder-rig.ts";
import { errorsCounted, firing, notUnderstood } from "../support/signals.ts";
import { recordOf } from "../support/sqs-record.ts";

// The real handler in a process of its own, killed with SIGKILL at each request that it makes, to whomever, before the
// request is passed on or after it was carried out. A second process then gets the same message, as from SQS.

const SCRIPT = fileURLToPath(new URL("../support/respond-once.ts", import.meta.url));
const COMPILED = mkdtempSync(join(tmpdir(), "tollbreaker-compiled-"));
const atOnce = pLimit(3);
let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.close();
  rmSync(COMPILED, { recursive: true });
});

async function policyOf(yaml: string): Promise<string> {
  const file = join(COMPILED, `${randomUUID()}.yml`);
  await writeFile(file, yaml);
  return file;
}

type When = "before" | "after";

/** How a life of the function ended, and how many requests it had made. */
interface Life {
  killed: boolean;
  requests: number;
  output: string;
}

const SUSPEND_ALL_FILE = "test/support/suspend-all.yml";

interface Circumstances {
  death?: { at: number; when: When };
  policyFile: string;
}

/** Lets the function live once; it dies at its `deadAt`th request. */
async function live(signal: Signal, attempt: number, { death, policyFile }: Circumstances): Promise<Life> {
  const proxies = await Promise.all([rig.simulator.url, rig.aws.dynamoUrl, rig.aws.messagingUrl].map(startFaultProxy));
  const event = { EVENT: JSON.stringify([recordOf(signal, { attempt })]), POLICY_FILE: policyFile };
  const environment = environmentOf(proxies, event);
  const child = spawn(process.execPath, [SCRIPT], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  if (death !== undefined) killAt(child, proxies, death);
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  const requests = proxies.reduce((sum, proxy) => sum + proxy.requests().length, 0);
  await Promise.all(proxies.map((proxy) => proxy.close()));
  return { killed: child.signalCode === "SIGKILL", requests, output };
}

function killAt(child: ChildProcess, proxies: readonly FaultProxy[], { at, when }: { at: number; when: When }): void {
  let count = 0;
  const hook = async () => {
    count += 1;
    if (count !== at) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    // What is thrown here keeps the proxy from passing the request on.
    throw new Error("the client is dead");
  };
  for (const proxy of proxies) proxy.fail({ when, do: "call", hook });
}

function environmentOf([twilio, dynamo, sns]: readonly FaultProxy[], more: Record<string, string>) {
  const { accountSid, authToken } = rig.simulator.parent();
  return {
    ...LOCAL_CREDENTIALS,
    // Each life loads the same modules: compiled once is enough.
    NODE_COMPILE_CACHE: COMPILED,
    LOG_FILE: "/dev/null",
    PUBLIC_URL: "https://tollbreaker.example.com",
    TWILIO_API_URL: twilio?.url,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo?.url,
    AWS_ENDPOINT_URL_SNS: sns?.url,
    TABLE_NAME: rig.aws.tableName,
    ALERTS_TOPIC_ARN: rig.aws.topicArn,
    INBOX_QUEUE_URL: rig.aws.inboxUrl,
    ...more,
  };
}

const FINISHED = JSON.stringify({ batchItemFailures: [] });

/** Kills one life at each of its requests, and lets a second one finish; returns what is then on record. */
async function killEverywhere(
  makeSignal: () => Signal,
  policyFile = SUSPEND_ALL_FILE,
): Promise<{ signal: Signal; death: string; killed: boolean }[]> {
  const whole = await live(makeSignal(), 1, { policyFile });
  expect(whole.output).toBe(FINISHED);
  const deaths = Array.from({ length: whole.requests }, (_, index) => index + 1).flatMap((at) =>
    (["before", "after"] as const).map((when) => ({ at, when })),
  );
  return atOnce.map(deaths, async (death) => {
    const signal = makeSignal();
    const { killed } = await live(signal, 1, { death, policyFile });
    const second = await live(signal, 2, { policyFile });
    expect(second.output, `the second life, after a death ${death.when} request ${death.at}`).toBe(FINISHED);
    return { signal, death: `${death.when} request ${death.at}`, killed };
  });
}

async function onlyIncident({ accountSid }: Signal, death: string): Promise<Recorded> {
  const [recorded, ...others] = await rig.incidentsOf(accountSid);
  expect(others, `incidents after a death ${death}`).toEqual([]);
  if (recorded === undefined) throw new Error(`no incident after a death ${death}`);
  return recorded;
}

async function expectTold({ accountSid }: Signal, { incident }: Recorded, death: string): Promise<void> {
  const told = (await rig.alertsOf(accountSid)).map(({ id }) => id);
  expect(new Set(told), `alerts after a death ${death}`).toEqual(new Set(incident.alerts.map(({ id }) => id)));
  expect(incident.alerts, death).toMatchObject([{ publishedAt: expect.any(String) }]);
}

describe("the responder, killed at any request", () => {
  test("of a suspension: it is finished by the next delivery", { timeout: 120_000 }, async () => {
    const deaths = await killEverywhere(() => {
      const { accountSid } = rig.simulator.addSubaccount();
      rig.simulator.addCalls(accountSid, { calls: 2 });
      return firing(accountSid);
    });
    // The order of parallel requests differs from life to life, their number hardly does.
    expect(deaths.filter(({ killed }) => killed).length).toBeGreaterThan(deaths.length * 0.9);
    for (const { signal, death } of deaths) {
      expect(rig.simulator.account(signal.accountSid), death).toMatchObject({ status: "suspended", liveCalls: 0 });
      const recorded = await onlyIncident(signal, death);
      expect(recorded.incident, death).toMatchObject({
        state: "suspended",
        signals: 1,
        containment: { by: "tollbreaker", callsLeft: 0 },
      });
      const story = new Set(recorded.timeline.map(({ what }) => what));
      expect(story, death).toEqual(new Set(["opened", "suspended", "calls-ended", "evidence-read", "alert-published"]));
      await expectTold(signal, recorded, death);
      expect((await rig.store.recall(signal.accountSid, identityOf(signal))).seen, death).toBe(true);
    }
  });

  test("of an alert: it is sent by the next delivery", { timeout: 120_000 }, async () => {
    const deaths = await killEverywhere(() => notUnderstood(rig.simulator.addSubaccount().accountSid));
    for (const { signal, death } of deaths) {
      const recorded = await onlyIncident(signal, death);
      expect(recorded.incident, death).toMatchObject({ state: "alerted", signals: 1 });
      expect(
        recorded.timeline.map(({ what }) => what),
        death,
      ).toEqual(["opened", "alerted", "alert-published"]);
      await expectTold(signal, recorded, death);
      expect((await rig.store.recall(signal.accountSid, identityOf(signal))).seen, death).toBe(true);
    }
  });

  test("of a rule on errors that usage confirms: it is finished by the next delivery", {
    timeout: 120_000,
  }, async () => {
    const policyFile = await policyOf(`
errors:
  sms-pumping:
    { codes: [30450], count: 20, within: 10m, then: suspend, confirm: { category: totalprice, by: price, at: 20 } }
brake: { suspensions: 1000, within: 10m }
`);
    const deaths = await killEverywhere(() => {
      const { accountSid } = rig.simulator.addSubaccount();
      rig.simulator.addUsage(accountSid, { category: "sms", count: 900, price: 61.3 });
      return errorsCounted(accountSid);
    }, policyFile);
    for (const { signal, death } of deaths) {
      expect(rig.simulator.account(signal.accountSid).status, death).toBe("suspended");
      const recorded = await onlyIncident(signal, death);
      expect(recorded.incident, death).toMatchObject({
        state: "suspended",
        rule: "sms-pumping",
        signals: 1,
        errors: { count: 20 },
        reason: expect.stringMatching(
          /^20 errors within 10 minutes; Usage Records of today: totalprice by price is 61.3/,
        ),
      });
      await expectTold(signal, recorded, death);
      expect((await rig.store.recall(signal.accountSid, identityOf(signal))).seen, death).toBe(true);
    }
  });

  test("of an account that the brake holds: nobody is suspended, and each is named once", {
    timeout: 180_000,
  }, async () => {
    const policyFile = await policyOf("brake: { suspensions: 1, within: 1d }");
    // Those of the tests before this one fill it, and more than that.
    const deaths = await killEverywhere(() => firing(rig.simulator.addSubaccount().accountSid), policyFile);
    for (const { signal, death } of deaths) {
      const { accountSid } = signal;
      expect(rig.suspensionRequests(accountSid), death).toBe(0);
      const { incident } = await onlyIncident(signal, death);
      expect(incident, death).toMatchObject({ state: "alerted", because: "brake", signals: 1 });
      expect(incident.alerts, death).toMatchObject([{ because: "brake", publishedAt: expect.any(String) }]);
      const namedBy = new Set((await rig.alertsNaming(accountSid)).map(({ id }) => id));
      expect(namedBy.size, death).toBe(1);
    }
    const { brake } = await rig.store.recall(rig.simulator.parent().accountSid, "");
    expect(brake.state.waiting.map(({ accountSid }) => accountSid)).toEqual(
      expect.arrayContaining(deaths.map(({ signal }) => signal.accountSid)),
    );
  });
});
