import { PublishCommand, type PublishCommandInput, type SNSClient } from "@aws-sdk/client-sns";
import { messageOf, TollbreakerError } from "../errors.ts";
import { jsonLog, type Log } from "../log.ts";
import type { Alert } from "./alert.ts";
import { notComposed } from "./alert-of.ts";
import type { Notice } from "./notice.ts";
import { plainAlert, plainNotice } from "./plain-alert.ts";
import { ascii } from "./plain-text.ts";
import { ALERT_STEPS, NOTICE_STEPS } from "./shed.ts";

export interface AlertPublisher {
  /**
   * @param signal ends the try.
   * @throws TollbreakerError `alert-not-published` when SNS did not take it; publishing again is safe. Nothing else: an
   * alert that can't be written down goes out in plain words.
   */
  publish(alert: Alert | Notice, signal?: AbortSignal): Promise<{ messageId: string }>;
}

interface SnsParts {
  client: SNSClient;
  topicArn: string;
  log?: Log;
}

/** Tells everybody at once: one Publish, from which SNS makes the e-mails, the queue's messages and the HTTP posts. */
export function snsPublisher({ client, topicArn, log = jsonLog() }: SnsParts): AlertPublisher {
  return {
    async publish(alert, signal) {
      const command = new PublishCommand({ TopicArn: topicArn, ...messageFor(alert, log) });
      const options = signal === undefined ? {} : { abortSignal: signal };
      const answer = await client.send(command, options).catch((error: unknown) => {
        throw notPublished(alert, topicArn, error);
      });
      return { messageId: answer.MessageId ?? "" };
    },
  };
}

/**
 * "Messages [...] at most 256 KB in size (262,144 bytes, not 262,144 characters)", with their attributes, and all forms of
 * one together: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
const MOST_BYTES = 262_144;

type SnsMessage = Pick<PublishCommandInput, "Subject" | "MessageStructure" | "Message" | "MessageAttributes">;

/** As SNS takes it: what is too long is shed in order, and what can't be written down is told in plain words. */
function messageFor(alert: Alert | Notice, log: Log): SnsMessage {
  try {
    return fitting(alert);
  } catch (error) {
    const incidentId = alert.about === "notice" ? {} : { incidentId: alert.incident.id };
    notComposed(log, { about: alert.about, ...incidentId }, error);
    return encoded(inPlainWords(alert));
  }
}

function fitting(alert: Alert | Notice): SnsMessage {
  return alert.about === "notice" ? shedUntilItFits(alert, NOTICE_STEPS) : shedUntilItFits(alert, ALERT_STEPS);
}

function shedUntilItFits<T extends Alert | Notice>(whole: T, steps: readonly ((told: T) => T)[]): SnsMessage {
  let told = whole;
  let message = encoded(told);
  for (const shed of steps) {
    if (sizeOf(message) <= MOST_BYTES) return message;
    told = shed(told);
    message = encoded(told);
  }
  return sizeOf(message) <= MOST_BYTES ? message : encoded(inPlainWords(whole));
}

function inPlainWords(alert: Alert | Notice): Alert | Notice {
  return alert.about === "notice" ? plainNotice(alert) : plainAlert(alert);
}

function encoded(alert: Alert | Notice): SnsMessage {
  // SNS refuses an empty subject, and one that begins with a space.
  const Subject = ascii(alert.subject, 99) || "Tollbreaker";
  return {
    Subject,
    MessageStructure: "json",
    Message: formsOf(alert, /\S/.test(alert.text) ? alert.text : Subject),
    MessageAttributes: attributesOf(alert),
  };
}

/** In bytes, as they go over the wire; of the attributes a little more than their names, types and values are. */
function sizeOf({ Subject = "", Message = "", MessageAttributes }: SnsMessage): number {
  return Buffer.byteLength(Subject) + Buffer.byteLength(Message) + Buffer.byteLength(JSON.stringify(MessageAttributes));
}

// One form per protocol: https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
function formsOf(alert: Alert | Notice, text: string): string {
  const forMachines = JSON.stringify(alert);
  const forms = JSON.stringify({
    default: text,
    email: text,
    sqs: forMachines,
    lambda: forMachines,
    https: forMachines,
    http: forMachines,
  });
  // No characters, and what JSON leaves as they are: SQS drops a message that holds one.
  return forms.replace(/[\ufffe\uffff]/g, "\ufffd");
}

// What subscriptions can filter on: https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
function attributesOf(alert: Alert | Notice) {
  // An attribute must not be empty.
  const text = (value: string) => ({ DataType: "String", StringValue: ascii(value, 100) || "unknown" });
  const common = { state: text(alert.about), severity: text(alert.severity) };
  return alert.about === "notice" ? common : { ...common, account: text(alert.incident.accountSid) };
}

function notPublished(alert: Alert | Notice, topicArn: string, cause: unknown): TollbreakerError {
  return new TollbreakerError("alert-not-published", `SNS did not take the alert ${alert.id}.`, {
    expected: `the topic ${topicArn} to accept a Publish`,
    got: messageOf(cause),
    fix: "check that the topic exists in this region and that this function's role allows sns:Publish on it",
    cause,
  });
}
