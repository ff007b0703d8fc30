import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AlertOccasion } from "../../../lib/alerts/compose.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { messageKey } from "../../../lib/slack/keys.ts";
import { actionsOf, CHANNEL } from "../../support/slack-server.ts";
import { type AppRig, appRig, type Story, story } from "./app-rig.ts";

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

const item = (id: string) => ({ TableName: rig.table.tableName, Key: messageKey(id) });

async function stored(id: string) {
  return (await rig.table.client.send(new GetCommand(item(id)))).Item;
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
    expect(await stored(id)).toMatchObject({ ts: only().ts, expiresAt: rig.clock.time / 1000 + 90 * 86_400 });
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

  it("a claim whose answer was lost is one's own: nobody waits for it", async () => {
    const { suspended } = story();
    // The SDK asks again, and meets its own claim.
    rig.table.proxy.fail({ on: "UpdateItem", times: 1, when: "after", do: "cut" });
    expect(await rig.tell(suspended)).toEqual(DELIVERED);
    expect(rig.slack.inChannel()).toHaveLength(1);
    await rig.tell(suspended);
    expect(rig.slack.messages).toHaveLength(1);
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

describe("a note in the table that cannot be read", () => {
  it.each([
    ["without its channel", "REMOVE channel", {}, "channel"],
    ["without how it began", "REMOVE beginning", {}, "beginning"],
    ["of another version's states", "SET present.#state = :value", { "#state": "paused" }, "present.state"],
    ["whose message is no text", "SET ts = :value", { ts: 1795230245.5 }, "ts"],
    ["whose message is null", "SET ts = :value", { ts: null }, "ts"],
    ["whose alerts are no set", "SET told = :value", { told: "all" }, "told"],
  ])("%s: the alert is told, and its message takes the other's place", async (_what, expression, value, flaw) => {
    const { id, suspended, reactivated, reminder } = story();
    await rig.tell(suspended);
    await spoil(id, expression, value);
    expect(await rig.tell(reactivated)).toEqual(DELIVERED);
    const reason = `not as this version writes it: ${flaw}`;
    expect(rig.logged()).toMatchObject([{ level: "WARN", event: "slack-message-unreadable", incident: id, reason }]);
    const [, replacing] = rig.slack.inChannel();
    expect(replacing?.text).toContain("was reactivated");
    // From then on it is as any other.
    expect(await stored(id)).toMatchObject({ ts: replacing?.ts, channel: CHANNEL });
    expect(await rig.tell(reminder)).toEqual(DELIVERED);
    expect(rig.slack.inChannel()).toHaveLength(2);
    expect(rig.slack.messages.at(-1)).toMatchObject({ threadTs: replacing?.ts });
    expect(rig.logged()).toEqual([]);
  });

  it("two at once: rather twice than not at all", async () => {
    const { id, suspended, refused, reactivated } = story();
    await rig.tell(suspended);
    await spoil(id, "REMOVE beginning", {});
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, do: "delay", milliseconds: 200 });
    expect(await Promise.all([rig.tell(refused), rig.tell(reactivated)])).toEqual([DELIVERED, DELIVERED]);
    expect(rig.slack.inChannel()).toHaveLength(3);
    expect((await stored(id))?.["beginning"]).toBeDefined();
  });

  it("left by nobody's claim, it holds nobody up", async () => {
    const { id, suspended } = story();
    const Item = { ...messageKey(id), told: new Set(["an alert"]), repliedAt: "2026-11-21T03:04:05.000Z" };
    await rig.table.client.send(new PutCommand({ TableName: rig.table.tableName, Item }));
    expect(await rig.tell(suspended)).toEqual(DELIVERED);
    expect(await stored(id)).toMatchObject({ ts: only().ts });
  });

  it("one that expires while a reply is posted is not brought back in part", async () => {
    const { id, suspended, reactivated } = story();
    await rig.tell(suspended);
    const expire = () => rig.table.client.send(new DeleteCommand(item(id)));
    rig.proxy.fail({ on: method("chat.postMessage"), times: 1, do: "call", hook: expire });
    expect(await rig.tell(reactivated)).toEqual(DELIVERED);
    expect(rig.slack.inThreadOf(only())).toHaveLength(1);
    expect(await stored(id)).toBeUndefined();
  });

  function spoil(id: string, expression: string, value: Record<string, unknown>) {
    const [[name, content] = []] = Object.entries(value);
    return rig.table.client.send(
      new UpdateCommand({
        ...item(id),
        UpdateExpression: expression,
        ...(name?.startsWith("#") && { ExpressionAttributeNames: { [name]: name.slice(1) } }),
        ...(name !== undefined && { ExpressionAttributeValues: { ":value": content } }),
      }),
    );
  }
});

describe("however slow Slack and the table are, and even if Slack refuses all blocks", () => {
  const FUNCTION_MS = 23_500;
  const withBlocks = ({ path, body }: { path: string; body: string }) =>
    path.startsWith("/api/chat.") && body.includes('"blocks":[{');

  it.each([
    ["a first message", async () => undefined],
    ["a reply", ({ suspended }: Story) => rig.tell(suspended)],
    ["a reply in another channel", ({ suspended }: Story) => spread(suspended)],
    ["a message that was deleted", ({ suspended }: Story) => deleted(suspended)],
    ["one that was deleted after the reply", ({ suspended, refused }: Story) => deletedLater(suspended, refused)],
  ])("%s is told in time, at the second try at the latest", async (_what, before) => {
    const tale = story();
    await before(tale);
    rig.proxy.fail({ on: withBlocks, ...answer("invalid_blocks") });
    const early = rig.slowest(rig.sender().turnMs);
    const first = await rig.tell(tale.reactivated, rig.sender(), early);
    expect(early()).toBeGreaterThanOrEqual(0);
    const again = rig.slowest(FUNCTION_MS);
    const second = await rig.tell(tale.reactivated, rig.sender(), again);
    expect(again()).toBeGreaterThanOrEqual(0);
    expect([first, second].map(({ kind }) => kind)).toContain("delivered");
    // Not twice because there was no time.
    const toldOf = rig.slack.messages.filter(({ text }) => text.includes("was reactivated"));
    expect(toldOf.filter(({ threadTs }) => threadTs !== undefined).length).toBeLessThanOrEqual(1);
    expect(toldOf.length).toBeGreaterThanOrEqual(1);
  });

  it("no further round is begun without the time for it; the next try goes on", async () => {
    const { suspended, refused, reactivated, told } = story();
    await rig.tell(suspended);
    // Each update is overtaken by newer news.
    const newer = [reactivated, told("reactivated", 8, { state: "reactivated" })];
    const overtake = () => Promise.all(newer.splice(0, 1).map((each) => rig.tell(each)));
    rig.proxy.fail({ on: method("chat.update"), nth: 1, times: 1, do: "call", hook: overtake });
    let rounds = 0;
    const left = () => (++rounds === 1 ? FUNCTION_MS : 8000);
    expect(await rig.tell(refused, rig.sender(), left)).toEqual({ kind: "busy", retryAfterSeconds: 3 });
    expect(rig.logged()).toMatchObject([{ level: "WARN", event: "slack-turn-over" }]);
    expect(shown()).toContain("*State*\\nsuspended");
    expect(await rig.tell(refused)).toEqual(DELIVERED);
    expect(shown()).toContain("*State*\\nreactivated");
    expect(rig.slack.inThreadOf(only())).toHaveLength(2);
  });

  async function spread(occasion: AlertOccasion) {
    await rig.tell(occasion);
    const note = { ...item(occasion.incident.id), UpdateExpression: "SET channel = :other" };
    await rig.table.client.send(new UpdateCommand({ ...note, ExpressionAttributeValues: { ":other": "C0OTHER" } }));
  }

  async function deleted(occasion: AlertOccasion) {
    await rig.tell(occasion);
    rig.slack.deleteMessage(only());
  }

  async function deletedLater(occasion: AlertOccasion, reply: AlertOccasion) {
    await rig.tell(occasion);
    rig.proxy.fail({ on: method("chat.update"), times: 1, do: "call", hook: () => rig.slack.deleteMessage(only()) });
    await rig.tell(reply);
    rig.proxy.clear();
  }
});

it("an alarm is a message by itself", async () => {
  const alarm = { AlarmName: "inbox-age", NewStateValue: "ALARM", NewStateReason: "121 > 120" };
  expect(await rig.sender().send(readNotification(JSON.stringify(alarm)), () => 60_000)).toEqual(DELIVERED);
  expect(only().text).toContain("CloudWatch alarm inbox-age");
  expect(actionsOf(only())).toEqual([]);
});

function answer(error: string) {
  return { do: "answer", status: 200, body: JSON.stringify({ ok: false, error }) } as const;
}
