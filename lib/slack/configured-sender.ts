import { type Sender, webhookSender } from "../alerts/deliver-to-slack.ts";
import type { Log } from "../log.ts";
import type { Secret } from "../secrets.ts";
import { appSender } from "./app-sender.ts";
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

/** How long Slack may take for one request of the several that an alert may need. */
const TIMEOUT_MS = 3000;

/** The way to Slack that is configured now: the app, or else the webhook; undefined for none. */
export function configuredSender(configuration: SenderConfiguration): () => Promise<Sender | undefined> {
  const { botToken, channel, webhookUrl, apiUrl, store, log } = configuration;
  let saidHalf = false;

  return async () => {
    const [token, url] = await Promise.all([botToken(), webhookUrl()]);
    if (token && channel) {
      return appSender({ api: slackApi({ token, apiUrl, timeoutMs: TIMEOUT_MS }), channel, store, log });
    }
    if (token || channel) sayHalf(token ? "SLACK_CHANNEL" : "SLACK_BOT_TOKEN");
    return url ? webhookSender(url) : undefined;
  };

  function sayHalf(missing: string): void {
    if (!saidHalf) log.warn("slack-app-incomplete", { missing, fix: `set ${missing}, too: docs/slack.md` });
    saidHalf = true;
  }
}
