import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { webhookSender } from "../../../lib/alerts/deliver-to-slack.ts";
import { notice } from "../../../lib/alerts/notice.ts";
import { type NotifyRecord, notifier } from "../../../lib/alerts/notify.ts";
import { systemClock } from "../../../lib/clock.ts";
import type { Passed } from "../../../lib/drills/drill-store.ts";
import type { Postponement } from "../../../lib/inbox/postpone.ts";
import { jsonLog } from "../../../lib/log.ts";
import { within } from "../../support/lived-time.ts";
import { examples } from "./examples.ts";
import { type SlackSink, startSlackSink } from "./slack-sink.ts";

const PLENTY_MS = 60_000;
const alerts = Array.from({ length: 5 }, (_, minute) =>
  composeAlert({ ...examples.suspended, at: `2026-11-21T03:0${minute}:00.000Z` }),
);
const [first, second] = alerts;

let slack: SlackSink;
beforeEach(async () => {
  slack = await startSlackSink();
});
afterEach(() => slack.close());

const stations: [string, Passed][] = [];

function record(body: unknown, messageId: string, receives = 1): NotifyRecord {
  return {
    messageId,
    receiptHandle: `handle of ${messageId}`,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: String(receives) },
  };
}

/** A notifier whose clock stands still but for what it sleeps. */
function start(url: string = slack.url) {
  const clock = {
    time: Date.parse("2026-11-21T03:05:00Z"),
    now: () => new Date(clock.time),
    sleep: async (milliseconds: number) => {
      clock.time += milliseconds;
      slept.push(milliseconds);
    },
  };
  const slept: number[] = [];
  const postponed: Postponement[] = [];
  const lines: string[] = [];
  const notify = notifier({
    drills: { pass: async (id, passed) => void stations.push([id, passed]) },
    slack: async () => ({ ...webhookSender(url, 300), turnMs: 500 }),
    postpone: async (batch) => {
      postponed.push(...batch);
    },
    log: jsonLog((line) => lines.push(line)),
    clock,
  });
  const failures = async (records: NotifyRecord[], remainingMs = PLENTY_MS) =>
    (await notify(records, () => remainingMs)).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  const delays = () =>
    postponed.map(({ receiptHandle, seconds }) => [receiptHandle.replace("handle of ", ""), seconds]);
  return { failures, delays, slept, lines, clock };
}

const batch = () => alerts.map((alert, index) => record(alert, `m${index}`));

it("sends each message once", async () => {
  const { failures, delays } = start();
  expect(await failures(batch())).toEqual([]);
  expect(slack.received).toHaveLength(5);
  expect(delays()).toEqual([]);
});

it("drops repeats of an alert that was sent, within a batch and after it", async () => {
  const { failures } = start();
  await failures([record(first, "a"), record(first, "b")]);
  await failures([record(first, "c", 2)]);
  expect(slack.received).toHaveLength(1);
});

it("doesn't take a message for sent that was not", async () => {
  const { failures } = start();
  slack.answers.push({ status: 500 });
  expect(await failures([record(first, "a")])).toEqual(["a"]);
  expect(await failures([record(first, "a", 2)])).toEqual([]);
  expect(slack.received).toHaveLength(2);
});

describe("a long Retry-After", () => {
  it("puts off the message and the rest of the batch, a second apart, with one request to Slack", async () => {
    const { failures, delays, slept } = start();
    slack.answers.push({ status: 200 }, { status: 429, retryAfter: "60" });
    expect(await failures(batch())).toEqual(["m1", "m2", "m3", "m4"]);
    expect(delays()).toEqual([
      ["m1", 60],
      ["m2", 61],
      ["m3", 62],
      ["m4", 63],
    ]);
    expect(slack.received).toHaveLength(2);
    expect(slept).toEqual([]);
  });

  it("holds for the next batch of the same instance, until it is over", async () => {
    const { failures, delays, clock } = start();
    slack.answers.push({ status: 429, retryAfter: "60" });
    await failures([record(first, "a")]);
    clock.time += 20_000;
    expect(await failures([record(second, "b")])).toEqual(["b"]);
    expect(delays().at(-1)).toEqual(["b", 40]);
    clock.time += 40_000;
    expect(await failures([record(first, "a", 2), record(second, "b", 2)])).toEqual([]);
    expect(slack.received).toHaveLength(3);
  });

  it("grows when Slack says it again and again, so that the receives last", async () => {
    const { failures, delays } = start();
    slack.answers.push({ status: 429, retryAfter: "5" });
    await failures([record(first, "a", 6)]);
    expect(delays()).toEqual([["a", 160]]);
  });
});

describe("a short Retry-After", () => {
  it("is waited for, and nothing goes back to the queue", async () => {
    const { failures, slept } = start();
    slack.answers.push({ status: 429, retryAfter: "2" });
    expect(await failures([record(first, "a"), record(second, "b")])).toEqual([]);
    expect(slept).toEqual([2000]);
    expect(slack.received).toHaveLength(3);
  });

  it("is not waited for when little time is left", async () => {
    const { failures, slept, delays } = start();
    slack.answers.push({ status: 429, retryAfter: "2" });
    expect(await failures([record(first, "a")], 8000)).toEqual(["a"]);
    expect(slept).toEqual([]);
    expect(delays()).toEqual([["a", 5]]);
  });

  it("is waited for three times at most", async () => {
    const { failures, slept } = start();
    slack.answers.push(...Array.from({ length: 9 }, () => ({ status: 429, retryAfter: "1" })));
    expect(await failures([record(first, "a")])).toEqual(["a"]);
    expect(slept).toEqual([1000, 1000]);
    expect(slack.received).toHaveLength(3);
  });
});

describe("a Slack that fails", () => {
  it.each([
    [1, 5],
    [2, 10],
    [8, 640],
    [9, 900],
    [20, 900],
  ])("after receive %d the message comes back in %d s", async (receives, seconds) => {
    const { failures, delays } = start();
    slack.answers.push({ status: 503 });
    expect(await failures([record(first, "a", receives)])).toEqual(["a"]);
    expect(delays()).toEqual([["a", seconds]]);
  });

  it.each(["hang", "cut"] as const)("%s: one message's failure doesn't stop the next", async (answer) => {
    const { failures, lines } = start();
    slack.answers.push(answer);
    expect(await failures([record(first, "a"), record(second, "b")])).toEqual(["a"]);
    expect(lines.join("\n")).toContain('"event":"slack-unreachable"');
  });

  it("a refusal is an error line that says what to do, and the message is kept", async () => {
    const { failures, delays, lines } = start();
    slack.answers.push({ status: 404, body: "no_service" });
    expect(await failures([record(first, "a", 5)])).toEqual(["a"]);
    expect(delays()).toEqual([["a", 15]]);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "ERROR",
      event: "slack-refused",
      messageId: "a",
      status: 404,
    });
    expect(lines[0]).toContain("make an incoming webhook");
  });

  it("blocks it refuses are told as text, with a warning for us", async () => {
    const { failures, lines } = start();
    slack.answers.push({ status: 400, body: "invalid_blocks" });
    expect(await failures([record(first, "a")])).toEqual([]);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "WARN",
      event: "slack-refused-blocks",
      alert: first?.id,
    });
  });
});

it("stops in time: what is left of the batch comes back at once", async () => {
  const { failures, delays } = start();
  expect(await failures([record(first, "a"), record(second, "b")], 3000)).toEqual(["a", "b"]);
  expect(delays()).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  expect(slack.received).toEqual([]);
});

it("a turn is told how much time it has: what comes after it has its own", async () => {
  let remainingMs = 30_000;
  const left: number[] = [];
  const notify = notifier({
    drills: { pass: async () => undefined },
    slack: async () => ({
      turnMs: 10_500,
      send: async (_notification, leftMs) => {
        left.push(leftMs());
        remainingMs -= 13_500;
        left.push(leftMs());
        return { kind: "delivered", as: "blocks" };
      },
    }),
    postpone: async () => undefined,
    log: jsonLog(() => undefined),
    clock: { now: () => new Date(), sleep: async () => undefined },
  });
  const { batchItemFailures } = await notify([record(first, "a"), record(second, "b")], () => remainingMs);
  expect(left).toEqual([23_500, 10_000]);
  expect(batchItemFailures).toEqual([{ itemIdentifier: "b" }]);
});

it("shows alarms and unknown texts too", async () => {
  const { failures } = start();
  const alarm = { AlarmName: "dlq", NewStateValue: "ALARM", NewStateReason: "1 > 0" };
  expect(await failures([record(alarm, "a"), record("what is this?", "b")])).toEqual([]);
  expect(slack.received.map(({ text }) => text)).toEqual([
    "CloudWatch alarm dlq: ALARM: 1 &gt; 0",
    "A message on the alerts topic that is not an alert: what is this?",
  ]);
});

it("without Slack it succeeds, and says so once", async () => {
  const lines: string[] = [];
  const notify = notifier({
    drills: { pass: async (id, passed) => void stations.push([id, passed]) },
    slack: async () => undefined,
    postpone: async () => undefined,
    log: jsonLog((line) => lines.push(line)),
    clock: { now: () => new Date(), sleep: async () => undefined },
  });
  for (const _time of [1, 2, 3]) {
    expect(await notify(batch(), () => PLENTY_MS)).toEqual({ batchItemFailures: [] });
  }
  expect(lines.map((line) => JSON.parse(line).event)).toEqual(["slack-not-configured"]);
});

it("lets a message come back soon while somebody else is at the same incident", async () => {
  const postponed: Postponement[] = [];
  const notify = notifier({
    drills: { pass: async (id, passed) => void stations.push([id, passed]) },
    slack: async () => ({ send: async () => ({ kind: "busy", retryAfterSeconds: 3 }), turnMs: 1000 }),
    postpone: async (all) => void postponed.push(...all),
    log: jsonLog(() => undefined),
    clock: { now: () => new Date(), sleep: async () => undefined },
  });
  const { batchItemFailures } = await notify([record(first, "a")], () => PLENTY_MS);
  expect(batchItemFailures).toEqual([{ itemIdentifier: "a" }]);
  expect(postponed).toMatchObject([{ receiptHandle: "handle of a", seconds: 3 }]);
});

it("one message that cannot be handled doesn't hold up the others", async () => {
  const lines: string[] = [];
  const notify = notifier({
    drills: { pass: async (id, passed) => void stations.push([id, passed]) },
    slack: async () => {
      const sender = webhookSender(slack.url);
      return {
        ...sender,
        send: async (notification, left) => {
          if (notification.message.text.includes("poison")) throw new Error("a defect");
          return sender.send(notification, left);
        },
      };
    },
    postpone: async () => undefined,
    log: jsonLog((line) => lines.push(line)),
    clock: { now: () => new Date(), sleep: async () => undefined },
  });
  const { batchItemFailures } = await notify([record("poison", "a"), record(first, "b")], () => PLENTY_MS);
  expect(batchItemFailures).toEqual([{ itemIdentifier: "a" }]);
  expect(slack.received).toHaveLength(1);
  expect(lines[0]).toContain("a defect");
});

describe("a rehearsal", () => {
  const rehearsal = record(
    notice({
      ...{ id: "drill:drill-0001", kind: "drill", severity: "info", subject: "REHEARSAL", headline: "A rehearsal." },
      ...{ facts: [], nextStep: "", at: "2026-11-21T03:04:07.000Z", drillId: "drill-0001" },
    }),
    "m1",
  );

  it("is told in Slack, and says so at its station", async () => {
    const { failures } = start();
    stations.length = 0;
    expect(await failures([rehearsal])).toEqual([]);
    expect(stations).toMatchObject([["drill-0001", { station: "slack-told", isGood: true }]]);
  });

  it("is not waited for where it cannot be noted", async () => {
    const lines: string[] = [];
    const slackParts = [async () => webhookSender(slack.url), async () => undefined];
    const notify = slackParts.map((slackPart) =>
      notifier({
        drills: { pass: () => new Promise(() => undefined) },
        slack: slackPart,
        postpone: async () => {},
        log: jsonLog((line) => lines.push(line)),
        clock: systemClock,
      }),
    );
    const answers = await within(4000, Promise.all(notify.map((each) => each([rehearsal], () => PLENTY_MS))));
    expect(answers).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(slack.received).toHaveLength(1);
    const notNoted = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "drill-not-noted");
    expect(notNoted).toMatchObject([{ drillId: "drill-0001" }, { drillId: "drill-0001" }]);
  });

  it("without Slack says that nobody was told there", async () => {
    stations.length = 0;
    const notify = notifier({
      drills: { pass: async (id, passed) => void stations.push([id, passed]) },
      slack: async () => undefined,
      postpone: async () => {},
      log: jsonLog(() => {}),
      clock: systemClock,
    });
    expect((await notify([rehearsal], () => PLENTY_MS)).batchItemFailures).toEqual([]);
    expect(stations).toMatchObject([
      ["drill-0001", { station: "slack-told", said: expect.stringContaining("not configured") }],
    ]);
  });
});
