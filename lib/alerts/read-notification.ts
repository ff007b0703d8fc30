import * as z from "zod/mini";
import { oneLine } from "./plain-text.ts";
import { plainSlackMessage, type SlackMessage, slackMessage } from "./slack-message.ts";

/** What arrived through the alerts topic, ready for Slack. */
export interface Notification {
  /** Undefined for what carries no id of ours. */
  id: string | undefined;
  message: SlackMessage;
}

const SentAlert = z.object({
  id: z.string(),
  about: z.enum(["suspended", "alerted", "failed", "not-understood"]),
  severity: z.enum(["critical", "warning", "info"]),
  subject: z.string(),
  headline: z.string(),
  facts: z.array(z.object({ label: z.string(), value: z.string() })),
  times: z.array(z.string()),
  nextStep: z.string(),
  incidentUrl: z.string(),
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
const CloudWatchAlarm = z.object({
  AlarmName: z.string(),
  NewStateValue: z.string(),
  NewStateReason: z.optional(z.nullable(z.string())),
  AlarmDescription: z.optional(z.nullable(z.string())),
});
type CloudWatchAlarm = z.infer<typeof CloudWatchAlarm>;

/** One Publish with a form per protocol, as a broker that ignores MessageStructure passes it on. */
const FormPerProtocol = z.object({ default: z.string(), sqs: z.string() });

/** SNS's own wrapping, where a subscription was made without raw message delivery. */
const SnsEnvelope = z.object({ Type: z.literal("Notification"), Message: z.string() });

/**
 * Reads a message of the notify queue: an alert, a CloudWatch alarm on the same topic, or anything else, which is shown
 * as it is. Never throws and never drops: a message nobody understands may be the one that matters.
 */
export function readNotification(body: string): Notification {
  const content = json(body);
  const envelope = z.safeParse(SnsEnvelope, content);
  if (envelope.success) return readNotification(envelope.data.Message);
  const forms = z.safeParse(FormPerProtocol, content);
  if (forms.success) return readNotification(forms.data.sqs);
  const alert = z.safeParse(SentAlert, content);
  if (alert.success) return { id: alert.data.id, message: slackMessage(alert.data) };
  const alarm = z.safeParse(CloudWatchAlarm, content);
  return { id: undefined, message: alarm.success ? alarmMessage(alarm.data) : unknownMessage(body) };
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function alarmMessage({ AlarmName, NewStateValue, NewStateReason, AlarmDescription }: CloudWatchAlarm): SlackMessage {
  const said = [AlarmDescription, NewStateReason].filter((part) => typeof part === "string" && part !== "");
  const severity = NewStateValue === "OK" ? "info" : "warning";
  const text = said.length === 0 ? "CloudWatch gave no description and no reason." : said.join("\n");
  return plainSlackMessage(`CloudWatch alarm ${oneLine(AlarmName, 90)}: ${oneLine(NewStateValue, 20)}`, text, severity);
}

function unknownMessage(body: string): SlackMessage {
  return plainSlackMessage("A message on the alerts topic that is not an alert", body, "warning");
}
