import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { messageKey } from "../../../lib/slack/keys.ts";
import { actionsOf } from "../../support/slack-server.ts";
import { type AppRig, appRig, story } from "./app-rig.ts";

let rig: AppRig;
beforeAll(async () => {
  rig = await appRig();
});
afterEach(() => {
  rig.proxy.clear();
  rig.table.proxy.clear();
  rig.slack.messages.splice(0);
  rig.slack.calls.splice(0);
  rig.logged();
});
afterAll(() => rig.close());

const DELIVERED = { kind: "delivered", as: "blocks" };
const method = (name: string) => (request: { path: string }) => request.path === `/api/${name}`;

function only() {
  const messages = rig.slack.inChannel();
  expect(messages).toHaveLength(1);
  const [message] = messages;
  if (message === undefined) throw new Error("there is no message");
  return message;
}

const shown = () => JSON.stringify(only().blocks);

describe("one incident", () => {
  it("begins with a message that has the buttons of its state", async () => {
    expect(await rig.tell(story().suspended)).toEqual(DELIVERED);
    expect(actionsOf(only())).toEqual(["reactivate", "keep-suspended"]);
    expect(only().text).toContain("Acme Europe was suspended after tripping on sms-outbound");
    expect(shown()).toContain("*State*\\nsuspended");
    expect(shown()).toContain("*By*\\nTollbreaker");
    expect(shown()).toContain("*Since*\\n2026-11-21 03:05:00 UTC");
  });

  it("goes on in its thread, and the message shows how things stand", async () => {
    const { alerted, suspended, reactivated } = story();
    await rig.tell(alerted);
    expect(actionsOf(only())).toEqual(["suspend", "dismiss"]);
    await rig.tell(suspended);
    expect(actionsOf(only())).toEqual(["reactivate", "keep-suspended"]);
    await rig.tell(reactivated);
    expect(actionsOf(only())).toEqual([]);
    expect(shown()).toContain("*State*\\nreactivated");
    expect(shown()).toContain("*By*\\nalice");
    expect(shown()).toContain("🔵 Reactivated: Acme Europe");
    // How it began is still there to be read.
    expect(shown()).toContain("*It began*\\nAcme Europe tripped on sms-outbound: a warning");
    const thread = rig.slack.inThreadOf(only());
    expect(thread.map(({ text }) => text)).toEqual([
      expect.stringContaining("was suspended"),
      expect.stringContaining("was reactivated by alice"),
    ]);
    // What is urgent is seen in the channel, too.
    expect(thread.map(({ broadcast }) => broadcast)).toEqual([true, false]);
    expect(only().updates).toBe(2);
  });

  it("is not mixed up with another", async () => {
    await rig.tell(story().suspended);
    await rig.tell(story().suspended);
    expect(rig.slack.inChannel()).toHaveLength(2);
  });

  it("is kept for 90 days after its last change", async () => {
    const { id, suspended } = story();
    await rig.tell(suspended);
    const reading = new GetCommand({ TableName: rig.table.tableName, Key: messageKey(id) });
    const { Item } = await rig.table.client.send(reading);
    expect(Item).toMatchObject({ ts: only().ts, expiresAt: rig.clock.time / 1000 + 90 * 86_400 });
  });

  it("a reminder is a reply that is seen, and hides nothing", async () => {
    const { suspended, reminder } = story();
    await rig.tell(suspended);
    const before = shown();
    await rig.tell(reminder);
    expect(shown()).toBe(before);
    expect(rig.slack.inThreadOf(only())).toMatchObject([{ broadcast: true }]);
  });

  it("somebody set it active past us: then it is to be suspended", async () => {
    const { suspended, told } = story();
    await rig.tell(suspended);
    await rig.tell(told("tampered", 9, {}));
    expect(actionsOf(only())).toEqual(["suspend"]);
  });
});

describe("out of order", () => {
  it("late news goes into the thread and does not hide newer news", async () => {
    const { suspended, refused, reactivated } = story();
    await rig.tell(reactivated);
    await rig.tell(suspended);
    await rig.tell(refused);
    expect(shown()).toContain("*State*\\nreactivated");
    expect(actionsOf(only())).toEqual([]);
    expect(only().updates).toBe(0);
    expect(rig.slack.inThreadOf(only())).toHaveLength(2);
  });

  it("an older update that Slack takes later is put right", async () => {
    const { alerted, suspended, reactivated } = story();
    await rig.tell(alerted);
    // The update for the suspension is held up; meanwhile the reactivation is told, and shown.
    rig.proxy.fail({
      on: method("chat.update"),
      times: 1,
      do: "call",
      hook: () => rig.tell(reactivated),
    });
    expect(await rig.tell(suspended)).toEqual(DELIVERED);
    expect(rig.requests("chat.update").map(({ args }) => JSON.stringify(args).includes("reactivated by"))).toEqual([
      true,
      false,
      true,
    ]);
    expect(shown()).toContain("*State*\\nreactivated");
    expect(actionsOf(only())).toEqual([]);
  });
});

describe("more than once, and at once", () => {
  it("the same alert again changes nothing, whoever gets it", async () => {
    const { suspended, reactivated } = story();
    await rig.tell(suspended);
    await rig.tell(suspended);
    await rig.tell(reactivated);
    await rig.tell(reactivated);
    expect(rig.slack.inThreadOf(only())).toHaveLength(1);
    expect(only().updates).toBe(1);
  });

  it("two deliveries at once make one message", async () => {
    const { suspended, reactivated } = story();
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, do: "delay", milliseconds: 200 });
    const outcomes = await Promise.all([rig.tell(suspended), rig.tell(reactivated)]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(["busy", "delivered"]);
    expect(rig.slack.inChannel()).toHaveLength(1);
    // What was busy comes back.
    for (const occasion of [suspended, reactivated]) expect(await rig.tell(occasion)).toEqual(DELIVERED);
    expect(rig.slack.inThreadOf(only())).toHaveLength(1);
    expect(shown()).toContain("*State*\\nreactivated");
  });

  it("one that Slack did not take lets the next try at once", async () => {
    const { suspended } = story();
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, do: "answer", status: 503 });
    expect(await rig.tell(suspended)).toMatchObject({ kind: "failed", retryable: true, status: 503 });
    expect(await rig.tell(suspended)).toEqual(DELIVERED);
    expect(rig.slack.inChannel()).toHaveLength(1);
  });

  it("one that was killed before it could post holds the others up for half a minute", async () => {
    const { suspended } = story();
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, do: "hang" });
    // Neither the message nor the release of the claim gets through: as if the function had been killed.
    rig.table.proxy.fail({ on: "UpdateItem", nth: 2, do: "hang" });
    expect(await rig.tell(suspended)).toMatchObject({ kind: "failed", retryable: true });
    rig.table.proxy.clear();
    expect(await rig.tell(suspended)).toEqual({ kind: "busy", retryAfterSeconds: 3 });
    rig.clock.time += 31_000;
    expect(await rig.tell(suspended)).toEqual(DELIVERED);
    expect(rig.slack.inChannel()).toHaveLength(1);
  });
});

describe("a Slack that is slow down, or down", () => {
  it("429 on the update: the reply is not sent twice", async () => {
    const { suspended, reactivated } = story();
    await rig.tell(suspended);
    const headers = { "Retry-After": "7" };
    rig.proxy.fail({ on: method("chat.update"), times: 1, do: "answer", status: 429, headers });
    expect(await rig.tell(reactivated)).toEqual({ kind: "rate-limited", retryAfterSeconds: 7 });
    expect(actionsOf(only())).toEqual(["reactivate", "keep-suspended"]);
    expect(await rig.tell(reactivated)).toEqual(DELIVERED);
    expect(rig.slack.inThreadOf(only())).toHaveLength(1);
    expect(actionsOf(only())).toEqual([]);
  });

  it.each([
    ["hang", { do: "hang" }, /did not answer within 400 ms/],
    ["cut", { do: "cut" }, /could not be reached/],
    ["a page of a proxy", { do: "answer", status: 200, body: "<html>" }, /could not be read: <html>/],
    ["internal_error", answer("internal_error"), /internal_error. Nothing to do/],
    ["fatal_error", answer("fatal_error"), /fatal_error/],
    ["service_unavailable", answer("service_unavailable"), /service_unavailable/],
    ["request_timeout", answer("request_timeout"), /request_timeout/],
  ] as const)("%s is tried again", async (_what, fault, words) => {
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, ...fault });
    const delivery = await rig.tell(story().suspended);
    expect(delivery).toMatchObject({ kind: "failed", retryable: true, message: expect.stringMatching(words) });
  });

  it("ratelimited in a 200 is a rate limit", async () => {
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, ...answer("ratelimited") });
    expect(await rig.tell(story().suspended)).toEqual({ kind: "rate-limited", retryAfterSeconds: 30 });
  });
});

describe("what waiting does not mend says how to mend it", () => {
  it.each([
    ["not_in_channel", /invite the app to the channel/],
    ["is_archived", /bring the channel back/],
    ["token_revoked", /store its bot token/],
    ["account_inactive", /store its bot token/],
    ["unheard_of", /docs.slack.dev/],
  ])("%s", async (error, fix) => {
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, ...answer(error) });
    const delivery = await rig.tell(story().suspended);
    expect(delivery).toMatchObject({ kind: "failed", retryable: false, error, message: expect.stringMatching(fix) });
    expect(JSON.stringify(delivery)).toContain("redrive the notify dead-letter queue");
  });

  it("a scope that is missing is named", async () => {
    const body = JSON.stringify({ ok: false, error: "missing_scope", needed: "chat:write", provided: "commands" });
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, do: "answer", status: 200, body });
    expect(await rig.tell(story().suspended)).toMatchObject({ message: expect.stringContaining("scope chat:write") });
  });

  it("a wrong channel, and a wrong token: Slack's own answers", async () => {
    const { suspended } = story();
    expect(await rig.tell(suspended, rig.sender({ channel: "C0OTHER" }))).toMatchObject({
      error: "channel_not_found",
      message: expect.stringContaining("set SLACK_CHANNEL"),
    });
    const delivery = await rig.tell(suspended, rig.sender({ token: "xoxb-revoked" }));
    expect(delivery).toMatchObject({ error: "invalid_auth", retryable: false });
    expect(JSON.stringify(delivery)).not.toContain("xoxb-revoked");
  });
});

describe("blocks that Slack refuses", () => {
  it("are told as words", async () => {
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, ...answer("invalid_blocks") });
    expect(await rig.tell(story().suspended)).toEqual({ kind: "delivered", as: "text" });
    expect(only()).toMatchObject({ text: expect.stringContaining("was suspended"), blocks: [] });
  });

  it("of an update take the old blocks with them: their buttons would be wrong", async () => {
    const { suspended, reactivated } = story();
    await rig.tell(suspended);
    rig.proxy.fail({ on: method("chat.update"), times: 1, ...answer("msg_blocks_too_long") });
    await rig.tell(reactivated);
    expect(only()).toMatchObject({ text: expect.stringContaining("was reactivated"), blocks: [] });
  });
});

describe("a message that is not there any more", () => {
  it("was deleted: another takes its place", async () => {
    const { suspended, reactivated, told } = story();
    await rig.tell(suspended);
    rig.slack.deleteMessage(only());
    expect(await rig.tell(reactivated)).toEqual(DELIVERED);
    expect(shown()).toContain("*State*\\nreactivated");
    expect(shown()).toContain("*It began*\\nAcme Europe was suspended");
    await rig.tell(told("reminder", 9, { state: "reactivated" }));
    expect(rig.slack.inThreadOf(only())).toHaveLength(1);
  });

  it("a late alert that finds it deleted shows the newest that is known", async () => {
    const { suspended, refused, reactivated } = story();
    await rig.tell(suspended);
    await rig.tell(reactivated);
    rig.slack.messages.splice(0);
    await rig.tell(refused);
    expect(shown()).toContain("*State*\\nreactivated");
  });
});

describe("a table that is down", () => {
  it("keeps nobody from being told", async () => {
    const { suspended } = story();
    rig.table.proxy.fail({ do: "answer", status: 500 });
    expect(await rig.tell(suspended)).toEqual(DELIVERED);
    expect(actionsOf(only())).toEqual(["reactivate", "keep-suspended"]);
    expect(rig.logged()).toMatchObject([
      { level: "WARN", event: "slack-message-unknown", incident: expect.any(String) },
    ]);
  });

  it("between reading and writing neither", async () => {
    const { suspended, reactivated } = story();
    await rig.tell(suspended);
    rig.table.proxy.fail({ on: "UpdateItem", do: "answer", status: 500 });
    expect(await rig.tell(reactivated)).toEqual(DELIVERED);
    expect(rig.slack.inThreadOf(only())).toHaveLength(1);
  });
});

it("an alarm is a message by itself", async () => {
  const alarm = { AlarmName: "inbox-age", NewStateValue: "ALARM", NewStateReason: "121 > 120" };
  expect(await rig.sender().send(readNotification(JSON.stringify(alarm)))).toEqual(DELIVERED);
  expect(only().text).toContain("CloudWatch alarm inbox-age");
  expect(actionsOf(only())).toEqual([]);
});

function answer(error: string) {
  return { do: "answer", status: 200, body: JSON.stringify({ ok: false, error }) } as const;
}
