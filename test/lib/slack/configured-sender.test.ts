import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { jsonLog } from "../../../lib/log.ts";
import { configuredSender } from "../../../lib/slack/configured-sender.ts";
import { messageStore } from "../../../lib/slack/message-store.ts";
import { type EmptyTable, emptyTable } from "../../support/empty-table.ts";
import { BOT_TOKEN, CHANNEL, type SlackServer, startSlackServer } from "../../support/slack-server.ts";
import { examples } from "../alerts/examples.ts";
import { type SlackSink, startSlackSink } from "../alerts/slack-sink.ts";

let table: EmptyTable;
let slack: SlackServer;
let webhook: SlackSink;
beforeAll(async () => {
  [table, slack, webhook] = await Promise.all([emptyTable(), startSlackServer(), startSlackSink()]);
});
const lines: string[] = [];
afterEach(() => {
  for (const list of [lines, slack.messages, webhook.received]) list.splice(0);
});
afterAll(() => Promise.all([table.close(), slack.close(), webhook.close()]));

function configured({ token = "", channel = "", url = "" }) {
  return configuredSender({
    botToken: async () => token || undefined,
    channel: channel || undefined,
    webhookUrl: async () => url || undefined,
    apiUrl: slack.apiUrl,
    store: messageStore(table.client, table.tableName, () => new Date()),
    log: jsonLog((line) => lines.push(line)),
  });
}

const alert = readNotification(JSON.stringify(composeAlert(examples.suspended)));
const send = async (sender: ReturnType<typeof configured>) => (await sender())?.send(alert, () => 60_000);
const DELIVERED = { kind: "delivered", as: "blocks" };

it("nothing at all is no Slack, and no fault", async () => {
  expect(await configured({})()).toBeUndefined();
  expect(lines).toEqual([]);
});

it("the app comes before the webhook", async () => {
  expect(await send(configured({ token: BOT_TOKEN, channel: CHANNEL, url: webhook.url }))).toEqual(DELIVERED);
  expect([slack.messages.length, webhook.received.length]).toEqual([1, 0]);
});

describe.each([
  ["a channel without a token", { channel: CHANNEL }, "SLACK_BOT_TOKEN"],
  ["a token without a channel", { token: BOT_TOKEN }, "SLACK_CHANNEL"],
])("%s", (_what, half, missing) => {
  it("and no webhook: the alert is kept, and the fix is told", async () => {
    const delivery = await send(configured(half));
    expect(delivery).toMatchObject({ kind: "failed", retryable: false, message: expect.stringContaining(missing) });
    expect(JSON.stringify(delivery)).toContain("redrive the notify dead-letter queue");
    expect(JSON.stringify(delivery)).not.toContain(BOT_TOKEN);
  });

  it("goes to the webhook, and says so once", async () => {
    const sender = configured({ ...half, url: webhook.url });
    for (const _time of [1, 2]) expect(await send(sender)).toEqual(DELIVERED);
    expect(webhook.received).toHaveLength(2);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: "slack-app-incomplete", missing }]);
  });
});
