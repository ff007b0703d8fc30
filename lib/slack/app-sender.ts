import { randomUUID } from "node:crypto";
import type { Delivery, Sender } from "../alerts/deliver-to-slack.ts";
import type { IncidentAlert, Notification } from "../alerts/read-notification.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { isGone } from "./api-failures.ts";
import {
  type Beginning,
  beginningOf,
  incidentMessage,
  isAside,
  type Present,
  presentOf,
  rankOf,
} from "./incident-message.ts";
import {
  type IncidentMessage,
  type MessageStore,
  type Replaced,
  type StoredMessage,
  TABLE_PATIENCE_MS,
} from "./message-store.ts";
import { deliveryOf, type Posting, postMessage, updateMessage } from "./post-message.ts";
import type { SlackApi } from "./web-api.ts";

export interface AppSenderParts {
  api: SlackApi;
  /** The channel's ID. */
  channel: string;
  store: MessageStore;
  log: Log;
}

type Told = Notification & { alert: IncidentAlert };

/** How long Slack may take for one request of the several that an alert may need. */
export const SLACK_PATIENCE_MS = 3000;
/** What Slack is asked twice where it refuses the blocks. */
const SAYING_MS = 2 * SLACK_PATIENCE_MS;
/** Until people are told: a message, and three requests to the table around it. */
const TURN_MS = SAYING_MS + 3 * TABLE_PATIENCE_MS;
/** Whatever comes after that, once more: a message, and a request to the table before and after it. */
const ROUND_MS = SAYING_MS + 2 * TABLE_PATIENCE_MS;
/** Whoever posts an incident's first message is done by then. */
const BUSY_S = 3;
/** Each time somebody has newer news meanwhile; then they show it. */
const MOST_ROUNDS = 3;

const DONE: Delivery = { kind: "delivered", as: "blocks" };
const LATER: Delivery = { kind: "busy", retryAfterSeconds: BUSY_S };

/**
 * Alerts through a Slack app: one message in the channel for each incident, which always shows how things stand; what
 * comes later goes into its thread. Whatever is no change of an incident is a message by itself.
 */
export function appSender(parts: AppSenderParts): Sender {
  return { turnMs: TURN_MS, send: (notification, left) => send({ ...parts, left }, notification) };
}

interface Turn extends AppSenderParts {
  /** The milliseconds until it has to be over. */
  left: () => number;
}

async function send(parts: Turn, { alert, ...notification }: Notification): Promise<Delivery> {
  if (alert === undefined) return alone(parts, notification);
  const told: Told = { ...notification, alert };
  const found = await find(parts, alert.incident.id);
  switch (found.kind) {
    case "unknown":
      return alone(parts, incidentAlone(told));
    case "none":
      return begin(parts, newsOf(alert));
    case "unreadable":
      return replace(parts, told, found);
    case "kept":
      return goOn(parts, told, found.message);
  }
}

type Found = StoredMessage | { kind: "unknown" };

// People are told at once, whether or not the table answers: rather twice than not at all.
async function find({ store, log }: AppSenderParts, incidentId: string): Promise<Found> {
  try {
    return await store.read(incidentId);
  } catch (error) {
    log.warn("slack-message-unknown", { incident: incidentId, reason: messageOf(error) });
    return { kind: "unknown" };
  }
}

async function alone({ api, channel }: AppSenderParts, { message }: Pick<Notification, "message">): Promise<Delivery> {
  return deliveryOf(await postMessage(api, { channel, ...message }));
}

function incidentAlone({ alert }: Told): Pick<Notification, "message"> {
  const { text, blocks } = incidentMessage(alert.incident.id, beginningOf(alert), presentOf(alert));
  return { message: { text, blocks: [...blocks] } };
}

// Where two find it at once, both tell: what can't be read must not make anybody wait for ever.
async function replace(parts: AppSenderParts, told: Told, found: Unreadable): Promise<Delivery> {
  parts.log.warn("slack-message-unreadable", { incident: told.alert.incident.id, reason: found.reason });
  const delivery = await begin(parts, newsOf(told.alert), found);
  return delivery.kind === "busy" ? alone(parts, incidentAlone(told)) : delivery;
}

type Unreadable = Extract<StoredMessage, { kind: "unreadable" }>;

/** Posts the incident's message, unless somebody else just does. @param gone the one that was in its place. */
async function begin(parts: AppSenderParts, news: News, gone?: Replaced): Promise<Delivery> {
  const { api, channel, log } = parts;
  const { incidentId, beginning, present } = news;
  const claimant = randomUUID();
  if (!(await claimed(parts, incidentId, claimant, gone))) return LATER;
  const posting = await postMessage(api, { channel, ...incidentMessage(incidentId, beginning, present) });
  await noteBeginning(parts, posting, news, claimant).catch((error: unknown) =>
    log.warn("slack-message-not-kept", { incident: incidentId, reason: messageOf(error) }),
  );
  return deliveryOf(posting);
}

/** What an incident's message is made of. */
interface News {
  incidentId: string;
  alertId: string;
  beginning: Beginning;
  present: Present;
  rank: string;
}

function newsOf(alert: IncidentAlert): News {
  const { id: alertId, incident } = alert;
  const stand = { present: presentOf(alert), rank: rankOf(alert) };
  return { incidentId: incident.id, alertId, beginning: beginningOf(alert), ...stand };
}

/** For a message in the place of one that is gone. */
function latestOf(alert: IncidentAlert, { beginning, present, rank }: IncidentMessage): News {
  const news = { ...newsOf(alert), beginning };
  return isAside(alert) || news.rank < rank ? { ...news, present, rank } : news;
}

// A table that fails between two requests keeps nobody from being told.
async function claimed({ store, log }: AppSenderParts, id: string, claimant: string, gone?: Replaced) {
  try {
    return await store.claim(id, claimant, gone);
  } catch (error) {
    log.warn("slack-message-unclaimed", { incident: id, reason: messageOf(error) });
    return true;
  }
}

async function noteBeginning({ store }: AppSenderParts, posting: Posting, news: News, claimant: string) {
  const { incidentId, ...shown } = news;
  if (posting.kind !== "posted") return store.release(incidentId, claimant);
  if (await store.keep(incidentId, claimant, { ...posting.address, ...shown })) return;
  throw new Error("somebody else posted one meanwhile, and this one is not kept up to date");
}

/** Known in the channel: the news goes into the thread, and the message shows how things stand now. */
async function goOn(parts: Turn, told: Told, kept: IncidentMessage): Promise<Delivery> {
  const { alert } = told;
  // The app was given another channel meanwhile.
  if (kept.channel !== parts.channel) return beginAnew(parts, alert, kept);
  if (!isAside(alert)) await attempt(parts, alert, () => advance(parts, alert));
  if (!kept.told.has(alert.id)) {
    const reply = await postReply(parts, told, kept);
    if (reply.kind !== "posted") return isGone(reply) ? beginAnew(parts, alert, kept) : reply;
    await attempt(parts, alert, () => parts.store.addReply(alert.incident.id, alert.id));
  }
  return bringUpToDate(parts, alert);
}

function advance({ store }: AppSenderParts, alert: IncidentAlert): Promise<void> {
  return store.advance(alert.incident.id, presentOf(alert), rankOf(alert));
}

// In a thread alone, nobody sees what is urgent: that is shown in the channel, too.
function postReply({ api, channel }: AppSenderParts, { message, alert }: Told, { ts }: IncidentMessage) {
  return postMessage(api, { ...message, channel, threadTs: ts, broadcast: alert.severity !== "info" });
}

/**
 * Shows the latest that is known, which need not be this alert. Read again afterwards: of two who are at it at once, one
 * may have shown older news over newer.
 */
async function bringUpToDate(parts: Turn, alert: IncidentAlert): Promise<Delivery> {
  const { id } = alert.incident;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (isOver(parts, id)) return LATER;
    const found = await find(parts, id);
    if (found.kind !== "kept" || found.message.shown === found.message.rank) return DONE;
    const { message } = found;
    const posting = await updateMessage(parts.api, message, incidentMessage(id, message.beginning, message.present));
    if (posting.kind !== "posted") return isGone(posting) ? beginAnew(parts, alert, message) : posting;
    await attempt(parts, alert, () => parts.store.shown(id, message.rank));
  }
  return DONE;
}

/** In the place of a message that is gone. */
async function beginAnew(parts: Turn, alert: IncidentAlert, gone: IncidentMessage): Promise<Delivery> {
  if (isOver(parts, alert.incident.id)) return LATER;
  return begin(parts, latestOf(alert, gone), { kind: "gone", ts: gone.ts });
}

/**
 * Whether the next round may not end in time. It comes back, and goes on where it was: better than to be cut off with
 * the rest of the batch.
 */
function isOver({ left, log }: Turn, incidentId: string): boolean {
  const leftMs = left();
  if (leftMs >= ROUND_MS) return false;
  log.warn("slack-turn-over", { incident: incidentId, leftMs, neededMs: ROUND_MS });
  return true;
}

/** What only keeps order: it must not keep anybody from being told. */
async function attempt({ log }: AppSenderParts, alert: IncidentAlert, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn("slack-message-not-kept", { incident: alert.incident.id, reason: messageOf(error) });
  }
}
