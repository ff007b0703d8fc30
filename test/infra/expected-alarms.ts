/** What each alarm watches, and when it sounds. Written by hand, so that a change is seen. */
const queueName = (id: string) => [{ Name: "QueueName", Value: { "Fn::GetAtt": [id, "QueueName"] } }];
const functionName = (id: string) => [{ Name: "FunctionName", Value: { Ref: id } }];
const atLeast = (Threshold: number) => ({ Threshold, ComparisonOperator: "GreaterThanOrEqualToThreshold" });
const above = (Threshold: number) => ({ Threshold, ComparisonOperator: "GreaterThanThreshold" });

/** The stage's own namespace, as the functions have it in METRICS_NAMESPACE. */
export const METRICS = { Ref: "AWS::StackName" };
/** Silence is good news. */
const silenceIsGood = { TreatMissingData: "notBreaching" };
const oneMinute = { Period: 60, EvaluationPeriods: 1, ...silenceIsGood };
const saysWhenOver = { OKActions: [{ Ref: "Alerts" }] };

const visible = { Namespace: "AWS/SQS", MetricName: "ApproximateNumberOfMessagesVisible" };
/** Stays on while there is any. */
const anyIn = (id: string) => ({
  ...visible,
  Statistic: "Maximum",
  ...atLeast(1),
  ...oneMinute,
  ...saysWhenOver,
  Dimensions: queueName(id),
});
/** Sounds again for each one more, which the other can't: an alarm tells of a change only. */
const oneMoreIn = (id: string) => ({
  Metrics: [
    {
      Id: "waiting",
      MetricStat: { Metric: { ...visible, Dimensions: queueName(id) }, Stat: "Maximum", Period: 60 },
      ReturnData: false,
    },
    {
      Id: "further",
      Label: "further dead letters",
      Expression: "IF(DIFF(waiting) < waiting, DIFF(waiting), 0)",
      ReturnData: true,
    },
  ],
  ...atLeast(1),
  EvaluationPeriods: 3,
  DatapointsToAlarm: 1,
  ...silenceIsGood,
});
const ageOf = (id: string, seconds: number) => ({
  Namespace: "AWS/SQS",
  MetricName: "ApproximateAgeOfOldestMessage",
  Statistic: "Maximum",
  ...above(seconds),
  ...oneMinute,
  ...saysWhenOver,
  Dimensions: queueName(id),
});
const ofLambda = (MetricName: "Errors" | "Throttles", id: string) => ({
  Namespace: "AWS/Lambda",
  MetricName,
  Statistic: "Sum",
  ...atLeast(1),
  ...oneMinute,
  ...saysWhenOver,
  Dimensions: functionName(id),
});
/** That nothing came in the minute after does not mean that it is over. */
const happened = (MetricName: string) => ({
  Namespace: METRICS,
  MetricName,
  Statistic: "Sum",
  ...atLeast(1),
  ...oneMinute,
});
const lasts = (MetricName: string) => ({ ...happened(MetricName), ...saysWhenOver });
/** In each sweep of half an hour. */
const inEachSweep = (MetricName: string) => ({
  Namespace: METRICS,
  MetricName,
  Statistic: "Minimum",
  ...atLeast(1),
  Period: 900,
  EvaluationPeriods: 2,
  ...silenceIsGood,
  ...saysWhenOver,
});

export const ALARMS = {
  InboxDeadLettersAlarm: anyIn("InboxDeadLetters"),
  InboxMoreDeadLettersAlarm: oneMoreIn("InboxDeadLetters"),
  FollowUpDeadLettersAlarm: anyIn("FollowUpDeadLetters"),
  FollowUpMoreDeadLettersAlarm: oneMoreIn("FollowUpDeadLetters"),
  NotifyDeadLettersAlarm: anyIn("NotifyDeadLetters"),
  NotifyMoreDeadLettersAlarm: oneMoreIn("NotifyDeadLetters"),
  SweepDeadLettersAlarm: anyIn("SweepDeadLetters"),
  SweepMoreDeadLettersAlarm: oneMoreIn("SweepDeadLetters"),
  InboxAgeAlarm: ageOf("Inbox", 120),
  FollowUpAgeAlarm: ageOf("FollowUpQueue", 1800),
  RespondErrorsAlarm: ofLambda("Errors", "RespondLambdaFunction"),
  RespondThrottlesAlarm: ofLambda("Throttles", "RespondLambdaFunction"),
  WebhooksNotStoredAlarm: lasts("WebhooksNotStored"),
  WebhooksThrottledAlarm: lasts("WebhooksThrottled"),
  UsageTriggerErrorsAlarm: ofLambda("Errors", "UsageTriggerLambdaFunction"),
  UsageTriggerThrottlesAlarm: ofLambda("Throttles", "UsageTriggerLambdaFunction"),
  DebuggerErrorsAlarm: ofLambda("Errors", "DebuggerLambdaFunction"),
  DebuggerThrottlesAlarm: ofLambda("Throttles", "DebuggerLambdaFunction"),
  OperatorRequestsFailedAlarm: lasts("OperatorRequestsFailed"),
  MessagesParkedAlarm: {
    Namespace: METRICS,
    MetricName: "MessagesParked",
    Statistic: "Sum",
    ...atLeast(5),
    Period: 900,
    EvaluationPeriods: 1,
    ...silenceIsGood,
    ...saysWhenOver,
  },
  MessagesGivenUpAlarm: happened("MessagesGivenUp"),
  MessagesUnhandledAlarm: happened("MessagesUnhandled"),
  AlertsNotComposedAlarm: happened("AlertsNotComposed"),
  ContainmentsFailedAlarm: happened("ContainmentsFailed"),
  BrakeHeldAlarm: happened("BrakeHeld"),
  SweepHeartbeatAlarm: {
    Namespace: METRICS,
    MetricName: "SweepCompleted",
    Statistic: "Sum",
    Period: 300,
    EvaluationPeriods: 3,
    Threshold: 1,
    ComparisonOperator: "LessThanThreshold",
    // The one thing that is missed when it does not come.
    TreatMissingData: "breaching",
    ...saysWhenOver,
  },
  SweepUnreadAlarm: inEachSweep("SweepUnread"),
  AccountsSetAsideAlarm: inEachSweep("AccountsSetAside"),
};

/** The metrics of the stage's own namespace that an alarm waits for. */
export const ALARMED_METRICS = Object.values(ALARMS).flatMap((alarm) =>
  "Namespace" in alarm && alarm.Namespace === METRICS ? [alarm.MetricName] : [],
);
