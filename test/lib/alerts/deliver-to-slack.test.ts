import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { deliverToSlack } from "../../../lib/alerts/deliver-to-slack.ts";
import { slackMessage } from "../../../lib/alerts/slack-message.ts";
import { within } from "../../support/lived-time.ts";
import { examples } from "./examples.ts";
import { type SlackSink, startSlackSink } from "./slack-sink.ts";

const message = slackMessage(composeAlert(examples.suspended));

let slack: SlackSink;
beforeEach(async () => {
  slack = await startSlackSink();
});
afterEach(() => slack.close());

it("posts the text and the blocks once", async () => {
  expect(await deliverToSlack(slack.url, message)).toEqual({ kind: "delivered", as: "blocks" });
  expect(slack.received).toEqual([message]);
});

describe("429", () => {
  it.each([
    ["17", 17, 17],
    ["0", 1, 1],
    [undefined, 30, 30],
    ["soon", 30, 30],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 1, 1],
  ])("Retry-After %s is honoured", async (retryAfter, least, most) => {
    slack.answers.push({ status: 429, body: "rate_limited", ...(retryAfter === undefined ? {} : { retryAfter }) });
    const delivery = await deliverToSlack(slack.url, message);
    if (delivery.kind !== "rate-limited") throw new Error(`expected rate-limited, got ${delivery.kind}`);
    expect(delivery.retryAfterSeconds).toBeGreaterThanOrEqual(least);
    expect(delivery.retryAfterSeconds).toBeLessThanOrEqual(most);
    expect(slack.received).toHaveLength(1);
  });

  it("a Retry-After that is a time is honoured", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T23:59:55Z") });
    onTestFinished(() => void vi.useRealTimers());
    slack.answers.push({ status: 429, retryAfter: "Sun, 22 Nov 2026 00:00:05 GMT" });
    expect(await deliverToSlack(slack.url, message)).toEqual({ kind: "rate-limited", retryAfterSeconds: 10 });
  });

  it("does not lend one message's Retry-After to the next", async () => {
    slack.answers.push({ status: 429, retryAfter: "90" }, { status: 429 });
    await deliverToSlack(slack.url, message);
    expect(await deliverToSlack(slack.url, message)).toEqual({ kind: "rate-limited", retryAfterSeconds: 30 });
  });
});

describe("what waiting may mend is retryable", () => {
  it.each([500, 502, 503, 408])("%d", async (status) => {
    slack.answers.push({ status, body: "rollup_error" });
    const delivery = await deliverToSlack(slack.url, message);
    expect(delivery).toMatchObject({ kind: "failed", retryable: true, status });
    expect(slack.received).toHaveLength(1);
  });

  it("no answer in time", async () => {
    slack.answers.push("hang");
    expect(await within(3000, deliverToSlack(slack.url, message, 200))).toEqual({
      kind: "failed",
      retryable: true,
      message: "Slack did not answer within 200 ms; it is sent again.",
    });
  });

  it("a connection that is cut", async () => {
    slack.answers.push("cut");
    const delivery = await deliverToSlack(slack.url, message);
    expect(delivery).toMatchObject({ kind: "failed", retryable: true });
    expect(delivery).not.toHaveProperty("status");
  });

  it("nobody listens", async () => {
    await slack.close();
    const delivery = await deliverToSlack(slack.url, message);
    expect(delivery).toMatchObject({ kind: "failed", retryable: true });
    expect(JSON.stringify(delivery)).toContain("ECONNREFUSED");
    slack = await startSlackSink();
  });
});

describe("what waiting does not mend says how to mend it", () => {
  it.each([
    [404, "no_service"],
    [403, "invalid_token"],
    [410, "channel_is_archived"],
  ])("%d %s", async (status, body) => {
    slack.answers.push({ status, body });
    const delivery = await deliverToSlack(slack.url, message);
    expect(delivery).toMatchObject({ kind: "failed", retryable: false, status });
    expect(JSON.stringify(delivery)).toContain(`Slack answered ${status} ${body}. Fix: make an incoming webhook`);
    expect(slack.received).toHaveLength(1);
  });

  it("an address that is none, without showing it", async () => {
    const delivery = await deliverToSlack("hooks.slack.com/services/secret-part", message);
    expect(delivery).toMatchObject({ kind: "failed", retryable: false });
    expect(JSON.stringify(delivery)).toContain("SLACK_WEBHOOK_URL is not a web address");
  });
});

describe("blocks that Slack refuses", () => {
  it("are sent as their one sentence: what happened is told all the same", async () => {
    slack.answers.push({ status: 400, body: "invalid_blocks" });
    expect(await deliverToSlack(slack.url, message)).toEqual({ kind: "delivered", as: "text" });
    expect(slack.received).toEqual([message, { text: message.text }]);
  });

  it("fail when the sentence is refused too", async () => {
    slack.answers.push({ status: 400, body: "invalid_blocks" }, { status: 400, body: "invalid_payload" });
    const delivery = await deliverToSlack(slack.url, message);
    expect(delivery).toMatchObject({ kind: "failed", retryable: false, status: 400 });
    expect(slack.received).toHaveLength(2);
  });
});

it("never tells the webhook's address: it is a secret", async () => {
  slack.answers.push({ status: 500 }, { status: 404 }, "cut", "hang");
  for (let time = 0; time < 4; time++) {
    expect(JSON.stringify(await deliverToSlack(slack.url, message, 300))).not.toContain("secret-part");
  }
});
