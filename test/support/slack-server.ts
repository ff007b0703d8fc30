import { serve } from "@hono/node-server";
import type { InputBlock, KnownBlock, ModalView } from "@slack/types";
import { type Context, Hono } from "hono";
import * as z from "zod/mini";
import { signForSlack } from "../../lib/slack/signature.ts";
import { listening } from "../../local/listening.ts";
import { flawsOfBlocks, flawsOfView } from "./slack-limits.ts";

export const CHANNEL = "C012CHANNEL";
export const TEAM = "T012TEAM";
export const BOT_TOKEN = "xoxb-1-secret-token";
export const SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

export interface ShownMessage {
  ts: string;
  threadTs: string | undefined;
  broadcast: boolean;
  text: string;
  blocks: readonly KnownBlock[];
  /** How often it was changed. */
  updates: number;
}

export interface OpenView {
  id: string;
  view: ModalView;
}

/** Whoever presses. `team`: another workspace than the app's. */
export interface Person {
  user: string;
  team?: string;
}

/**
 * Slack, played over HTTP: takes what the Web API takes, with its checks, and lets people press the buttons of what it
 * shows and send the forms that were opened, signed as Slack signs.
 */
export type SlackServer = Awaited<ReturnType<typeof startSlackServer>>;

export async function startSlackServer() {
  const app = new Hono();
  const state = {
    messages: [] as ShownMessage[],
    views: [] as OpenView[],
    words: [] as { user: string; text: string }[],
  };
  const triggers = new Map<string, string>();
  const calls: { method: string; args: unknown }[] = [];
  let count = 0;
  const next = () => (count += 1);
  const server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
  let reachedAt = server.url;

  app.post("/api/:method", async (c) => {
    if (c.req.header("authorization") !== `Bearer ${BOT_TOKEN}`) return refuse(c, "invalid_auth");
    const args: unknown = await c.req.json();
    calls.push({ method: c.req.param("method"), args });
    switch (c.req.param("method")) {
      case "chat.postMessage":
        return post(c, args);
      case "chat.update":
        return update(c, args);
      case "chat.postEphemeral":
        return ephemeral(c, args);
      case "views.open":
        return open(c, args);
      default:
        return refuse(c, "unknown_method");
    }
  });
  app.post("/response/:user", async (c) => {
    const { text } = z.parse(z.object({ text: z.string(), response_type: z.literal("ephemeral") }), await c.req.json());
    state.words.push({ user: c.req.param("user"), text });
    return c.text("ok");
  });

  function post(c: Context, args: unknown) {
    const message = z.parse(Posted, args);
    if (message.channel !== CHANNEL) return refuse(c, "channel_not_found");
    if (message.blocks.length === 0 && message.text === "") return refuse(c, "no_text");
    if (flawsOfBlocks(blocksOf(args)).length > 0) return refuse(c, "invalid_blocks");
    const parent = message.thread_ts;
    if (parent !== undefined && !state.messages.some(({ ts }) => ts === parent)) return refuse(c, "thread_not_found");
    const ts = `1795230245.${String(next()).padStart(6, "0")}`;
    const shown = { text: message.text, blocks: blocksOf(args), broadcast: message.reply_broadcast, updates: 0 };
    state.messages.push({ ts, threadTs: parent, ...shown });
    return c.json({ ok: true, channel: CHANNEL, ts });
  }

  function update(c: Context, args: unknown) {
    const { channel, ts, text } = z.parse(Updated, args);
    const message = state.messages.find((each) => each.ts === ts);
    if (channel !== CHANNEL || message === undefined) return refuse(c, "message_not_found");
    if (flawsOfBlocks(blocksOf(args)).length > 0) return refuse(c, "invalid_blocks");
    Object.assign(message, { text, blocks: blocksOf(args), updates: message.updates + 1 });
    return c.json({ ok: true, channel, ts });
  }

  function ephemeral(c: Context, args: unknown) {
    state.words.push(z.parse(z.object({ user: z.string(), text: z.string() }), args));
    return c.json({ ok: true });
  }

  function open(c: Context, args: unknown) {
    const { trigger_id } = z.parse(z.object({ trigger_id: z.string() }), args);
    const { view } = args as { view: ModalView };
    if (!triggers.has(trigger_id)) return refuse(c, "exchanged_trigger_id");
    triggers.delete(trigger_id);
    const flaws = flawsOfView(view);
    if (flaws.length > 0)
      return c.json({ ok: false, error: "invalid_arguments", response_metadata: { messages: flaws } });
    state.views.push({ id: `V${String(next()).padStart(8, "0")}`, view });
    return c.json({ ok: true, view: { id: state.views.at(-1)?.id } });
  }

  /** The payload of a press of the button `actionId` under `message`. */
  function pressed(message: ShownMessage, actionId: string, { user, team = TEAM }: Person): SlackPayload {
    const button = buttonsOf(message).find(({ action_id }) => action_id === actionId);
    if (button === undefined) throw new Error(`there is no button ${actionId} under ${message.text}`);
    const triggerId = `${next()}.trigger`;
    triggers.set(triggerId, user);
    return {
      ...{ type: "block_actions", team: { id: team, domain: "example" }, user: { id: user, team_id: team } },
      ...{ api_app_id: "A012APP", token: "deprecated", trigger_id: triggerId },
      container: { type: "message", message_ts: message.ts, channel_id: CHANNEL, is_ephemeral: false },
      channel: { id: CHANNEL, name: "alerts" },
      message: { type: "message", ts: message.ts, text: message.text, blocks: message.blocks },
      response_url: `${reachedAt}/response/${user}`,
      actions: [{ ...button, block_id: "abc", action_ts: "1795230245.000001" }],
    };
  }

  /** The payload of a form that was filled in. */
  function submitted({ id, view }: OpenView, values: Filled, { user, team = TEAM }: Person): SlackPayload {
    return {
      ...{ type: "view_submission", team: { id: team, domain: "example" }, user: { id: user, team_id: team } },
      ...{ api_app_id: "A012APP", token: "deprecated", trigger_id: `${next()}.trigger`, response_urls: [] },
      view: { ...view, id, team_id: TEAM, hash: `${next()}.hash`, state: { values: stateOf(view, values) } },
    };
  }

  return {
    url: server.url,
    apiUrl: `${server.url}/api`,
    ...{ calls, pressed, submitted },
    ...state,
    /** Under which address the app knows this server, where something stands in between. */
    isReachedAt(url: string) {
      reachedAt = url;
    },
    /** In the channel itself. */
    inChannel: () => state.messages.filter(({ threadTs }) => threadTs === undefined),
    inThreadOf: ({ ts }: ShownMessage) => state.messages.filter(({ threadTs }) => threadTs === ts),
    deleteMessage({ ts }: ShownMessage) {
      state.messages.splice(
        state.messages.findIndex((each) => each.ts === ts),
        1,
      );
    },
    close: server.close,
  };
}

const Posted = z.object({
  channel: z.string(),
  text: z.string(),
  thread_ts: z.optional(z.string()),
  reply_broadcast: z._default(z.boolean(), false),
  blocks: z._default(z.array(z.unknown()), []),
});
const Updated = z.object({ channel: z.string(), ts: z.string(), text: z.string() });

function refuse(c: Context, error: string) {
  return c.json({ ok: false, error });
}

// What was checked by flawsOfBlocks right after.
function blocksOf(args: unknown): KnownBlock[] {
  return (args as { blocks?: KnownBlock[] }).blocks ?? [];
}

export type SlackPayload = Record<string, unknown> & { type: string };

export interface Delivered {
  signingSecret?: string;
  /** When it was signed. */
  at?: Date;
}

/** The request that Slack makes of a payload. */
export function signedRequest(payload: unknown, { signingSecret = SIGNING_SECRET, at = new Date() }: Delivered = {}) {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(at.getTime() / 1000));
  return {
    method: "POST",
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Slack-Request-Timestamp": timestamp,
      "X-Slack-Signature": signForSlack(signingSecret, timestamp, body),
    },
    body,
  };
}

/** By block: a text, or the values of the options that are ticked. */
export type Filled = Readonly<Record<string, string | readonly string[]>>;

function buttonsOf({ blocks }: Pick<ShownMessage, "blocks">) {
  const elements = blocks.flatMap((block) => (block.type === "actions" ? block.elements : []));
  return elements.flatMap((element) => (element.type === "button" && element.action_id ? [element] : []));
}

/** The IDs of the buttons that do something, in their order. */
export function actionsOf(message: Pick<ShownMessage, "blocks">): string[] {
  return buttonsOf(message)
    .filter(({ url }) => url === undefined)
    .map(({ action_id }) => action_id ?? "");
}

export function inputsOf(view: ModalView): InputBlock[] {
  return view.blocks.filter((block): block is InputBlock => block.type === "input");
}

/** @throws Error where Slack's own program would not let the form be sent. */
function stateOf(view: ModalView, filled: Filled): Record<string, unknown> {
  const unknown = Object.keys(filled).filter((id) => !inputsOf(view).some(({ block_id }) => block_id === id));
  if (unknown.length > 0) throw new Error(`the form has no ${unknown.join(", ")}`);
  return Object.fromEntries(inputsOf(view).map((input) => [input.block_id, elementState(input, filled)]));
}

function elementState({ block_id = "", element, optional = false }: InputBlock, filled: Filled) {
  const value = filled[block_id];
  const { action_id = "" } = element;
  if (value === undefined && !optional) throw new Error(`${block_id} must be answered`);
  switch (element.type) {
    case "plain_text_input":
      if (value !== undefined && String(value).length < (element.min_length ?? 0))
        throw new Error(`${block_id} is too short to be sent`);
      return { [action_id]: { type: element.type, value: value ?? null } };
    case "radio_buttons":
      return { [action_id]: { type: element.type, selected_option: options(element.options, value)[0] ?? null } };
    case "checkboxes":
      return { [action_id]: { type: element.type, selected_options: options(element.options, value) } };
    default:
      throw new Error(`nobody can fill in a ${element.type}`);
  }
}

function options(all: readonly { value?: string }[], chosen: string | readonly string[] | undefined) {
  const values = chosen === undefined ? [] : [chosen].flat();
  return values.map((value) => {
    const option = all.find((each) => each.value === value);
    if (option === undefined) throw new Error(`there is no option ${value}`);
    return option;
  });
}
