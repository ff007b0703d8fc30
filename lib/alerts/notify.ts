import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Clock } from "../clock.ts";
import type { DrillStore } from "../drills/drill-store.ts";
import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { Postpone, Postponement } from "../inbox/postpone.ts";
import type { Log } from "../log.ts";
import type { Delivery, Sender } from "./deliver-to-slack.ts";
import { type Notification, readNotification } from "./read-notification.ts";
import { recentIds } from "./recent-ids.ts";

export interface NotifierParts {
  /** How Slack is reached now; undefined when it is not configured. */
  slack: () => Promise<Sender | undefined>;
  postpone: Postpone;
  /** Where a rehearsal asks whether it reached Slack. */
  drills: Pick<DrillStore, "pass">;
  log: Log;
  clock: Clock;
}

/** The parts of an SQS record that are needed here. */
export type NotifyRecord = Pick<SQSRecord, "messageId" | "receiptHandle" | "body"> & {
  attributes: Pick<SQSRecord["attributes"], "ApproximateReceiveCount">;
};

/** @param remainingMs the time left before this invocation is cut off. */
export type Notifier = (records: readonly NotifyRecord[], remainingMs: () => number) => Promise<SQSBatchResponse>;

/** A pause no longer than this is sat out; a longer one sends the message back to the queue. */
const SIT_OUT_MS = 2000;
/** How often a message sits out a pause before it goes back to the queue. */
const SIT_OUTS = 3;
/** How long a rehearsal's station may take to be noted: nobody is told by it. */
const NOTE_MS = 1500;
/** After a turn: the note, and the request that postpones what is left, three tries of 1.5 s (lib/aws.ts). */
const AFTERWARDS_MS = NOTE_MS + 5000;
/** Waiting doesn't mend a refusal: soon enough in the dead-letter queue, slow enough to mend it meanwhile. */
const REFUSED_RETRY_S = 15;
const LONGEST_BACKOFF_S = 900;

const NOT_CONFIGURED =
  "set SLACK_BOT_TOKEN and SLACK_CHANNEL, or SLACK_WEBHOOK_URL, to have alerts in Slack too (docs/slack.md)";

interface Turn {
  sender: Sender;
  record: NotifyRecord;
  remainingMs: () => number;
}

type Outcome = { kind: "told" } | { kind: "later"; seconds: number };

/**
 * Sends what arrives in the notify queue to Slack. A message that can't be sent is reported as failed, so that SQS keeps
 * it, after saying when it should come back: a receive is spent only when there is hope.
 */
export function notifier({ slack, postpone, drills, log, clock }: NotifierParts): Notifier {
  // For as long as this instance is warm:
  const sent = recentIds(1000);
  let slackFreeAt = 0;
  let saidNoSlack = false;

  return async (records, remainingMs) => {
    const sender = await slack();
    if (sender === undefined) return noSlack(records);
    const later: (Postponement & { messageId: string })[] = [];
    for (const record of records) {
      const outcome = await tell(sender, record, remainingMs);
      if (outcome.kind === "told") continue;
      // A second apart, because Slack takes about one message a second.
      later.push({ ...record, seconds: outcome.seconds + later.length });
    }
    await postpone(later);
    return { batchItemFailures: later.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

  async function tell(sender: Sender, record: NotifyRecord, remainingMs: () => number): Promise<Outcome> {
    try {
      return await send({ sender, record, remainingMs }, SIT_OUTS);
    } catch (error) {
      // One message that we can't handle must not hold up the others.
      log.error("notify-failed", { messageId: record.messageId, reason: messageOf(error) });
      return { kind: "later", seconds: backoff(record) };
    }
  }

  async function send(turn: Turn, sitOuts: number): Promise<Outcome> {
    const { sender, record } = turn;
    const notification = readNotification(record.body);
    const { id } = notification;
    if (id !== undefined && sent.has(id)) return { kind: "told" };
    if (!(await myTurn(turn, sitOuts))) return { kind: "later", seconds: secondsUntilFree(record) };

    const delivery = await sender.send(notification, () => turn.remainingMs() - AFTERWARDS_MS);
    switch (delivery.kind) {
      case "delivered":
        await passStation(notification, "Slack took the message", true);
        return delivered(id, delivery.as);
      case "rate-limited":
        slackFreeAt = clock.now().getTime() + delivery.retryAfterSeconds * 1000;
        return send(turn, sitOuts - 1);
      case "busy":
        return { kind: "later", seconds: delivery.retryAfterSeconds };
      case "failed":
        return failed(delivery, record);
    }
  }

  /** Waits for a short pause; false when the message should rather go back to the queue. */
  async function myTurn({ sender, remainingMs }: Turn, sitOuts: number): Promise<boolean> {
    const pauseMs = Math.max(0, slackFreeAt - clock.now().getTime());
    const neededMs = pauseMs + sender.turnMs + AFTERWARDS_MS;
    if (pauseMs > SIT_OUT_MS || sitOuts <= 0 || remainingMs() < neededMs) return false;
    if (pauseMs > 0) await clock.sleep(pauseMs);
    return true;
  }

  // Never before Slack said; and longer each time, so that many short pauses don't use up the receives.
  function secondsUntilFree(record: NotifyRecord): number {
    const pause = Math.ceil((slackFreeAt - clock.now().getTime()) / 1000);
    return pause > 0 ? Math.max(pause, backoff(record)) : 1;
  }

  /** A rehearsal asks whether Slack was told. */
  async function passStation({ drillId }: Notification, said: string, isGood: boolean): Promise<void> {
    if (drillId === undefined) return;
    const at = clock.now().toISOString();
    try {
      const noting = await inTime(drills.pass(drillId, { station: "slack-told", at, said, isGood }), NOTE_MS);
      if (noting.kind === "late") notNoted(drillId, `the table did not answer within ${NOTE_MS} ms`);
    } catch (error) {
      notNoted(drillId, messageOf(error));
    }
  }

  function notNoted(drillId: string, reason: string): void {
    log.warn("drill-not-noted", { drillId, reason });
  }

  function delivered(id: string | undefined, as: "blocks" | "text"): Outcome {
    if (id !== undefined) sent.add(id);
    if (as === "text") log.warn("slack-refused-blocks", { alert: id ?? null });
    return { kind: "told" };
  }

  function failed({ retryable, status, error, message }: Delivery & { kind: "failed" }, record: NotifyRecord): Outcome {
    const fields = { messageId: record.messageId, status: status ?? null, error: error ?? null, message };
    if (!retryable) {
      log.error("slack-refused", fields);
      return { kind: "later", seconds: REFUSED_RETRY_S };
    }
    log.warn("slack-unreachable", fields);
    return { kind: "later", seconds: backoff(record) };
  }

  async function noSlack(records: readonly NotifyRecord[]): Promise<SQSBatchResponse> {
    if (!saidNoSlack) log.info("slack-not-configured", { fix: NOT_CONFIGURED });
    saidNoSlack = true;
    for (const { body } of records) {
      await passStation(
        readNotification(body),
        "Slack is not configured: only the topic's other subscribers were told",
        true,
      );
    }
    return { batchItemFailures: [] };
  }
}

// 5, 10, 20, ... seconds, at most 15 minutes: with 20 receives an alert outlives three hours without Slack.
function backoff({ attributes }: NotifyRecord): number {
  const receives = Number(attributes.ApproximateReceiveCount) || 1;
  return Math.min(LONGEST_BACKOFF_S, 5 * 2 ** (receives - 1));
}
