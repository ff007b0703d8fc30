import type { Hono } from "hono";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { Message } from "../inbox/messages.ts";
import type { Log } from "../log.ts";
import { readDrill } from "./drill.ts";
import { notStored, type ReceivedRequest, turnAway, type WebhookAnswer, webhookApp } from "./receive-webhook.ts";
import type { SigningTokens } from "./signing-tokens.ts";
import { readFiring } from "./usage-trigger-firing.ts";
import { readForm, verifyForm } from "./verified-form.ts";

export interface UsageTriggerWebhook {
  /** The base URL that Twilio was told; signatures are made over it. */
  publicUrl: string;
  tokens: SigningTokens;
  /** The parent's AccountSid: a rehearsal is signed with its token. */
  parentSid: string;
  inbox: Inbox;
  clock: Clock;
  log: Log;
}

/**
 * Takes the callbacks of usage triggers: verify, then store, then 2xx. Twilio retries three times after a 5xx; after a 4xx
 * only where the address asks for it, as ours do. So 503 whenever a message may be genuine and is not stored yet.
 */
export function usageTriggerWebhook(webhook: UsageTriggerWebhook): Hono {
  const route = {
    path: "/webhooks/usage-trigger",
    accepts: ["application/x-www-form-urlencoded"],
    // A genuine one has ten parameters, in less than 1 KB.
    most: { bytes: 32 * 1024, parameters: 100 },
    receive: (request: ReceivedRequest) => receive(request, webhook),
  } as const;
  return webhookApp([route], webhook);
}

async function receive(request: ReceivedRequest, webhook: UsageTriggerWebhook): Promise<WebhookAnswer> {
  const { tokens, clock, log } = webhook;
  const received = readForm(request);
  if (received.kind === "refused") return turnAway(log, received);
  const drill = await readDrill(request.url, received, webhook);
  if (drill.kind === "drill") return store(webhook, drill.nudge);
  if (drill.kind === "undecided") return turnAway(log, drill);
  const verification = await verifyForm(tokens, received);
  if (verification.kind !== "verified") return turnAway(log, verification);
  return store(webhook, readFiring({ ...received, url: request.url }, clock.now()));
}

async function store({ inbox, log }: UsageTriggerWebhook, message: Message): Promise<WebhookAnswer> {
  const { kind, id, accountSid } = message;
  try {
    await inbox.put(message);
    log.info("signal-stored", { kind, id, accountSid });
    return 204;
  } catch (error) {
    log.error("signal-not-stored", { id, accountSid, reason: messageOf(error) });
    return notStored(log, kind);
  }
}
