import type { Log } from "../log.ts";
import type { Press } from "./interaction.ts";
import { SLACK_API_URL, type SlackApi } from "./web-api.ts";

export interface PrivateWordParts {
  api: SlackApi;
  /** Undefined for Slack's own. */
  apiUrl: string | undefined;
  log: Log;
}

const TIMEOUT_MS = 1000;

/** Tells the one who pressed, and nobody else. Never rejects: that it could not be said is logged. */
export async function tellPrivately(parts: PrivateWordParts, press: Press, text: string): Promise<void> {
  const isSaid = (await byResponseUrl(parts, press.responseUrl, text)) || (await byApi(parts, press, text));
  if (!isSaid) parts.log.warn("slack-user-not-told", { user: press.user.id });
}

/** https://docs.slack.dev/interactivity/handling-user-interaction#message_responses */
async function byResponseUrl({ apiUrl, log }: PrivateWordParts, url: string, text: string): Promise<boolean> {
  if (!isSlacks(url, apiUrl)) {
    if (url !== "") log.warn("slack-response-url-refused", { host: URL.parse(url)?.host ?? "none" });
    return false;
  }
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json; charset=utf-8" },
      body: JSON.stringify({ response_type: "ephemeral", replace_original: false, text }),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.ok;
  } catch {
    return false;
  }
}

async function byApi({ api }: PrivateWordParts, { message, user }: Press, text: string): Promise<boolean> {
  if (message === null) return false;
  const answer = await api.postEphemeral({ channel: message.channel, user: user.id, text });
  return answer.kind === "ok";
}

/** Whether the address is one that Slack hands out. The request is signed; this keeps a leaked secret from doing more. */
function isSlacks(url: string, apiUrl: string = SLACK_API_URL): boolean {
  const address = URL.parse(url);
  if (address === null) return false;
  if (apiUrl !== SLACK_API_URL) return address.origin === URL.parse(apiUrl)?.origin;
  return address.origin === "https://hooks.slack.com" && address.username === "" && address.password === "";
}
