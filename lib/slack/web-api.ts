import type { KnownBlock, ModalView } from "@slack/types";
import * as z from "zod/mini";
import { retryAfterSeconds } from "../alerts/deliver-to-slack.ts";
import { failureOf, httpFailure, noAnswer, type SlackFailure, unreadable } from "./api-failures.ts";

/** The few methods of Slack's Web API that are needed: https://docs.slack.dev/reference/methods */
export interface SlackApi {
  postMessage(message: PostedMessage): Promise<SlackAnswer<MessageAddress>>;
  updateMessage(message: MessageAddress & Content): Promise<SlackAnswer<MessageAddress>>;
  /** Shown to one user alone, and gone when they reload. */
  postEphemeral(message: { channel: string; user: string; text: string }): Promise<SlackAnswer<unknown>>;
  /** @param triggerId good once, for three seconds after the button was pressed. */
  openView(triggerId: string, view: ModalView): Promise<SlackAnswer<unknown>>;
}

export type SlackAnswer<T> = { kind: "ok"; body: T } | SlackFailure;

/** What names a message; `ts` is a name that looks like a time. */
export interface MessageAddress {
  channel: string;
  ts: string;
}

export interface Content {
  /** What notifications show, and what remains without blocks; escaped. */
  text: string;
  /** Empty: the text alone. */
  blocks: readonly KnownBlock[];
}

export interface PostedMessage extends Content {
  channel: string;
  /** A reply in the thread of this message, */
  threadTs?: string;
  /** which the channel is shown, too. */
  broadcast?: boolean;
}

export interface SlackApiParts {
  /** A bot token: xoxb-... */
  token: string;
  apiUrl?: string | undefined;
  timeoutMs: number;
}

export const SLACK_API_URL = "https://slack.com/api";

const Address = z.object({ channel: z.string(), ts: z.string() });
const Refusal = z.object({ ok: z.literal(false), error: z.string(), needed: z.optional(z.string()) });

// Slack makes a link of whatever looks like one, and shows what is behind it: nothing of that is wanted in an alert.
const AS_IT_IS = { unfurl_links: false, unfurl_media: false };

export function slackApi({ token, apiUrl = SLACK_API_URL, timeoutMs }: SlackApiParts): SlackApi {
  async function call<T extends z.core.$ZodType>(method: string, args: object, schema: T) {
    const answer = await post(method, args);
    return "text" in answer ? read(answer, schema) : answer;
  }

  async function post(method: string, args: object): Promise<Received | SlackFailure> {
    try {
      const response = await fetch(`${apiUrl.replace(/\/+$/, "")}/${method}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json; charset=utf-8" },
        body: JSON.stringify(args),
        // Whoever redirected it would get the token.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      const retryAfter = response.headers.get("retry-after");
      return { status: response.status, retryAfter, text: await response.text() };
    } catch (error) {
      return noAnswer(error, timeoutMs);
    }
  }

  return {
    postMessage: ({ threadTs, broadcast, ...message }) =>
      call(
        "chat.postMessage",
        { ...message, ...AS_IT_IS, ...(threadTs && { thread_ts: threadTs, reply_broadcast: broadcast ?? false }) },
        Address,
      ),
    updateMessage: (message) => call("chat.update", message, Address),
    postEphemeral: (message) => call("chat.postEphemeral", message, z.unknown()),
    openView: (triggerId, view) => call("views.open", { trigger_id: triggerId, view }, z.unknown()),
  };
}

interface Received {
  status: number;
  retryAfter: string | null;
  text: string;
}

/** A refusal is a 200, too: https://docs.slack.dev/apis/web-api/#responses */
function read<T extends z.core.$ZodType>({ status, retryAfter, text }: Received, schema: T): SlackAnswer<z.output<T>> {
  if (status === 429) return { kind: "rate-limited", retryAfterSeconds: retryAfterSeconds(retryAfter) };
  if (status !== 200) return httpFailure(status, text);
  const json = parse(text);
  const refusal = z.safeParse(Refusal, json);
  if (refusal.success) return failureOf(refusal.data, retryAfterSeconds(retryAfter));
  const body = z.safeParse(schema, json);
  return body.success ? { kind: "ok", body: body.data } : unreadable(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
