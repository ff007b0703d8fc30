import { type Sender, webhookSender } from "../alerts/deliver-to-slack.ts";
import type { Log } from "../log.ts";
import type { Secret } from "../secrets.ts";
import { appSender, SLACK_PATIENCE_MS } from "./app-sender.ts";
import type { MessageStore } from "./message-store.ts";
import { slackApi } from "./web-api.ts";

export interface SenderConfiguration {
  botToken: Secret;
  /** The ID of the channel that the app posts to. */
  channel: string | undefined;
  webhookUrl: Secret;
  apiUrl: string | undefined;
  store: MessageStore;
  log: Log;
}

/**
 * The way to Slack that is configured now: the app, or else the webhook; undefined for none. Half an app, and no webhook,
 * is none that anybody wanted: what is sent there fails, so that it is kept and somebody hears of it.
 */
export function configuredSender(configuration: SenderConfiguration): () => Promise<Sender | undefined> {
  const { botToken, channel, webhookUrl, apiUrl, store, log } = configuration;
  let saidHalf = false;

  return async () => {
    const [token, url] = await Promise.all([botToken(), webhookUrl()]);
    if (token && channel) {
      return appSender({ api: slackApi({ token, apiUrl, timeoutMs: SLACK_PATIENCE_MS }), channel, store, log });
    }
    if (!token && !channel) return url ? webhookSender(url) : undefined;
    const missing = token ? "SLACK_CHANNEL" : "SLACK_BOT_TOKEN";
    if (!url) return incomplete(missing);
    sayHalf(missing);
    return webhookSender(url);
  };

  function sayHalf(missing: Half): void {
    if (!saidHalf) log.warn("slack-app-incomplete", { missing, fix: `set ${missing}, too: docs/slack.md` });
    saidHalf = true;
  }
}

type Half = "SLACK_CHANNEL" | "SLACK_BOT_TOKEN";

function incomplete(missing: Half): Sender {
  const given = missing === "SLACK_CHANNEL" ? "SLACK_BOT_TOKEN" : "SLACK_CHANNEL";
  const said = `The Slack app is configured by half, and there is no webhook: ${given} is set, ${missing} is not`;
  const fix = `${FIXES[missing]}, or take ${given} away to have no Slack; then redrive the notify dead-letter queue`;
  const message = `${said}. Expected: both, or neither. Fix: ${fix}.`;
  return { turnMs: 0, send: async () => ({ kind: "failed", retryable: false, message }) };
}

const FIXES: Readonly<Record<Half, string>> = {
  SLACK_CHANNEL: "set SLACK_CHANNEL to the channel's ID (on AWS write slackChannel in the stage's file, and deploy)",
  SLACK_BOT_TOKEN:
    "store the app's bot token (xoxb-...) as SLACK_BOT_TOKEN (on AWS in the SSM parameter that SLACK_BOT_TOKEN_PARAMETER names)",
};
