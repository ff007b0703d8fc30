import * as z from "zod/mini";
import { ALERTED_BECAUSE, INCIDENT_STATES } from "../incidents/incident.ts";
import { oneLine } from "./plain-text.ts";
import { plainSlackMessage, type SlackMessage, slackMessage } from "./slack-message.ts";

/** What arrived through the alerts topic, ready for Slack. */
export interface Notification {
  /** Undefined for what carries no id of ours. */
  id: string | undefined;
  message: SlackMessage;
  /** Undefined for what is no change of an incident, and where this version cannot read the incident. */
  alert: IncidentAlert | undefined;
  /** Of a rehearsal's notice; undefined for anything else. */
  drillId: string | undefined;
}

const Sent = z.object({
  id: z.string(),
  /** Any text: a subject that a newer version knows is shown all the same. */
  about: z.string(),
  severity: z.enum(["critical", "warning", "info"]),
  subject: z.string(),
  headline: z.string(),
  facts: z.array(z.object({ label: z.string(), value: z.string() })),
  nextStep: z.string(),
  // A notice is of no incident: it has neither.
  times: z._default(z.array(z.string()), []),
  incidentUrl: z._default(z.string(), ""),
  drillId: z.nullish(z.string()),
});

const Wish = z.nullable(z.object({ operator: z.string() }));
const time = z.iso.datetime();
const IncidentAlert = z.extend(Sent, {
  at: time,
  incident: z.object({
    id: z.string().check(z.minLength(1), z.maxLength(64)),
    accountSid: z.string(),
    state: z.enum(INCIDENT_STATES),
    updatedAt: time,
    because: z.nullable(z.enum(ALERTED_BECAUSE)),
    containment: z.nullable(z.object({ by: z.string() })),
    suspension: Wish,
    reactivation: Wish,
    dismissal: Wish,
  }),
});
/** One change of an incident, with the incident as it was when people were told. */
export type IncidentAlert = z.infer<typeof IncidentAlert>;

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
 * Reads a message of the notify queue: an alert or a notice, a CloudWatch alarm on the same topic, or anything else,
 * which is shown as it is. Never throws and never drops: a message nobody understands may be the one that matters.
 */
export function readNotification(body: string): Notification {
  const content = json(body);
  const envelope = z.safeParse(SnsEnvelope, content);
  if (envelope.success) return readNotification(envelope.data.Message);
  const forms = z.safeParse(FormPerProtocol, content);
  if (forms.success) return readNotification(forms.data.sqs);
  const sent = z.safeParse(Sent, content);
  if (sent.success) {
    const { id, drillId } = sent.data;
    return { id, message: slackMessage(sent.data), alert: alertIn(content), drillId: drillId ?? undefined };
  }
  const alarm = z.safeParse(CloudWatchAlarm, content);
  const message = alarm.success ? alarmMessage(alarm.data) : unknownMessage(body);
  return { id: undefined, message, alert: undefined, drillId: undefined };
}

function alertIn(content: unknown): IncidentAlert | undefined {
  return z.safeParse(IncidentAlert, content).data;
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
