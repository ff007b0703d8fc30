"use strict";

/**
 * The CloudWatch dashboard, as serverless.yml includes it: what happened and how fast, what the sweep found, and whether
 * the machinery is well. The metrics of the stage's own namespace are those that lib/ logs
 * (lib/log.ts).
 *
 * CommonJS, because Serverless requires it. CloudFormation fills in what stands as `${...}` in the text.
 * Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */

/** As provider.environment in serverless.yml has it, METRICS_NAMESPACE: the stack of `prod` is tollbreaker-prod. */
const NAMESPACE = `\${AWS::StackName}`;
/** Columns; CloudWatch's grid has 24. */
const WIDTH = 8;
const HEIGHT = 6;
/** Seconds: the sweep's pace, so that each point is one sweep. */
const PERIOD = 300;

const DEAD_LETTERS = ["Inbox", "FollowUp", "Notify", "Sweep"];
const ALARMS = [
  ...["ContainmentsFailedAlarm", "BrakeHeldAlarm"],
  ...["InboxAgeAlarm", "RespondErrorsAlarm", "RespondThrottlesAlarm"],
  ...["MessagesParkedAlarm", "MessagesGivenUpAlarm", "MessagesUnhandledAlarm", "AlertsNotComposedAlarm"],
  "FollowUpAgeAlarm",
  ...["WebhooksNotStoredAlarm", "WebhooksThrottledAlarm", "OperatorRequestsFailedAlarm"],
  ...["UsageTriggerErrorsAlarm", "UsageTriggerThrottlesAlarm", "DebuggerErrorsAlarm", "DebuggerThrottlesAlarm"],
  ...["SweepHeartbeatAlarm", "SweepUnreadAlarm", "AccountsSetAsideAlarm"],
  ...DEAD_LETTERS.flatMap((queue) => [`${queue}DeadLettersAlarm`, `${queue}MoreDeadLettersAlarm`]),
];
const FUNCTIONS = ["UsageTrigger", "Debugger", "Respond", "Sweep", "SweepShard", "Notify", "OperatorApi", "Slack"];

const sections = [
  {
    title: "Is it well?",
    widgets: [
      alarms(),
      graph(
        "Age of the oldest message",
        ["Inbox", "FollowUpQueue", "NotifyQueue"].map((queue) => ageOf(queue)),
        inboxAgeAlarm(),
      ),
    ],
  },
  {
    title: "Containment",
    widgets: [
      graph("From webhook to suspended (ms)", timesOf("ContainmentTime")),
      graph("From firing to suspended (ms)", timesOf("FiredToSuspended")),
      graph("Overshoot over the limit (%)", [ours("Overshoot", "p50"), ours("Overshoot", "Maximum")]),
      graph("Signals and suspensions", counts("Signals", "Suspensions")),
      graph("A person is needed", counts("BrakeHeld", "ContainmentsFailed")),
      graph(
        "Parked, and what went wrong",
        counts("MessagesParked", "MessagesGivenUp", "MessagesUnhandled", "AlertsNotComposed"),
      ),
      graph(
        "Still to be done",
        ["Visible", "NotVisible", "Delayed"].map((which) => messagesIn("FollowUpQueue", which, which)),
      ),
      graph(
        "Webhooks turned away",
        counts("WebhooksRefused", "WebhooksUndecided", "WebhooksNotStored", "WebhooksThrottled"),
      ),
      graph("The API's errors", [ours("OperatorRequestsFailed", "Sum"), ofApi("4xx"), ofApi("5xx")]),
    ],
  },
  {
    title: "Sweep",
    widgets: [
      graph("Sweeps", counts("SweepCompleted", "SweepSkipped", "SweepFailed", "SweepAbandoned")),
      graph("Subaccounts", each("Maximum", "SweepAccounts", "SweepArmed", "SweepUnread", "AccountsSetAside")),
      graph("Duration (ms)", each("Maximum", "SweepMilliseconds")),
      graph(
        "Found",
        counts(
          "LostWebhooksFound",
          "OverLimitsFound",
          "SpendRulesTripped",
          "TamperingFound",
          "UnrecordedSuspensionsFound",
        ),
      ),
      graph("Usage triggers", counts("DriftRepaired", "RepairsRefused")),
      graph("Error events", counts("ErrorEvents", "ErrorEventsUnreadable")),
    ],
  },
  {
    title: "Machinery",
    widgets: [
      graph(
        "Dead letters",
        DEAD_LETTERS.map((queue) => messagesIn(`${queue}DeadLetters`, "Visible", queue)),
      ),
      graph(
        "Errors of functions",
        FUNCTIONS.map((name) => ofFunction(name, "Errors")),
      ),
      graph(
        "Throttles of functions",
        FUNCTIONS.map((name) => ofFunction(name, "Throttles")),
      ),
    ],
  },
];

module.exports = { "Fn::Sub": JSON.stringify({ start: "-PT12H", widgets: laidOut() }) };

/** Each section: its heading, then its widgets, three in a row. */
function laidOut() {
  let y = 0;
  return sections.flatMap(({ title, widgets }) => {
    const heading = { type: "text", x: 0, y, width: 24, height: 1, properties: { markdown: `## ${title}` } };
    const top = y + 1;
    y = top + Math.ceil(widgets.reduce((columns, { width = WIDTH }) => columns + width, 0) / 24) * HEIGHT;
    return [heading, ...placed(widgets, top)];
  });
}

function placed(widgets, top) {
  let column = 0;
  return widgets.map((widget) => {
    const { width = WIDTH } = widget;
    const place = { x: column % 24, y: top + Math.floor(column / 24) * HEIGHT, width, height: HEIGHT };
    column += width;
    return { ...widget, ...place };
  });
}

function alarms() {
  const arns = ALARMS.map((id) => `\${${id}.Arn}`);
  return { type: "alarm", width: 16, properties: { title: "Alarms", alarms: arns } };
}

function graph(title, metrics, more = {}) {
  const yAxis = { left: { min: 0 } };
  return {
    type: "metric",
    properties: { title, metrics, view: "timeSeries", region: `\${AWS::Region}`, period: PERIOD, yAxis, ...more },
  };
}

/** Beyond this, an alarm sounds. */
function inboxAgeAlarm() {
  return { annotations: { horizontal: [{ label: "alarm of the inbox", value: 120 }] } };
}

function ours(name, stat) {
  return [NAMESPACE, name, { stat, label: stat === "Sum" ? name : `${name} ${stat}` }];
}

function each(stat, ...names) {
  return names.map((name) => [NAMESPACE, name, { stat, label: name }]);
}

function counts(...names) {
  return each("Sum", ...names);
}

/** The usual, the slow and the worst. */
function timesOf(name) {
  return ["p50", "p95", "Maximum"].map((stat) => ours(name, stat));
}

function ofApi(name) {
  return ["AWS/ApiGateway", name, "ApiId", `\${HttpApi}`, { stat: "Sum", label: name }];
}

function ofFunction(name, metric) {
  return ["AWS/Lambda", metric, "FunctionName", `\${${name}LambdaFunction}`, { stat: "Sum", label: name }];
}

function ageOf(queue) {
  const name = "ApproximateAgeOfOldestMessage";
  return ["AWS/SQS", name, "QueueName", `\${${queue}.QueueName}`, { stat: "Maximum", label: `${queue} (s)` }];
}

/** @param which Visible, NotVisible (being handled) or Delayed */
function messagesIn(queue, which, label) {
  const name = `ApproximateNumberOfMessages${which}`;
  return ["AWS/SQS", name, "QueueName", `\${${queue}.QueueName}`, { stat: "Maximum", label }];
}
