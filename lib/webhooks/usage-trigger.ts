import type { Hono } from "hono";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { identityOf, type Signal } from "../inbox/messages.ts";
import type { DrillNudge } from "../inbox/nudges.ts";
import type { Log } from "../log.ts";
import type { Policy } from "../policy/policy.ts";
import { standsFor } from "../policy/stands-for.ts";
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
  /** By which a webhook stands for others of its account. */
  policy: Policy;
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

async function store(
  { inbox, policy, clock, log }: UsageTriggerWebhook,
  message: Signal | DrillNudge,
): Promise<WebhookAnswer> {
  const { kind, id, accountSid } = message;
  const key = message.kind === "drill" ? identityOf(message) : standsFor(message, policy, clock.now());
  try {
    await inbox.put(message, { standsFor: key });
    log.info("signal-stored", { kind, id, accountSid, standsFor: key });
    return 204;
  } catch (error) {
    log.error("signal-not-stored", { id, accountSid, reason: messageOf(error) });
    return notStored(log, kind);
  }
}
