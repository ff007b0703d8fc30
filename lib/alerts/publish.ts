import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import { messageOf, TollbreakerError } from "../errors.ts";
import type { Alert } from "./alert.ts";
import type { Notice } from "./notice.ts";

export interface AlertPublisher {
  /** @throws TollbreakerError `alert-not-published` when SNS did not take it; publishing again is safe. */
  publish(alert: Alert | Notice): Promise<{ messageId: string }>;
}

/** Tells everybody at once: one Publish, from which SNS makes the e-mails, the queue's messages and the HTTP posts. */
export function snsPublisher({ client, topicArn }: { client: SNSClient; topicArn: string }): AlertPublisher {
  return {
    async publish(alert) {
      const command = new PublishCommand({
        TopicArn: topicArn,
        Subject: alert.subject,
        MessageStructure: "json",
        Message: formsOf(alert),
        MessageAttributes: attributesOf(alert),
      });
      const answer = await client.send(command).catch((error: unknown) => {
        throw notPublished(alert, topicArn, error);
      });
      return { messageId: answer.MessageId ?? "" };
    },
  };
}

// One form per protocol: https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
function formsOf(alert: Alert | Notice): string {
  const forMachines = JSON.stringify(alert);
  return JSON.stringify({
    default: alert.text,
    email: alert.text,
    sqs: forMachines,
    lambda: forMachines,
    https: forMachines,
    http: forMachines,
  });
}

// What subscriptions can filter on: https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
function attributesOf(alert: Alert | Notice) {
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
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
