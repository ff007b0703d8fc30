/** What each alarm watches, and when it sounds. Written by hand, so that a change is seen. */
const queueName = (id: string) => [{ Name: "QueueName", Value: { "Fn::GetAtt": [id, "QueueName"] } }];
const functionName = (id: string) => [{ Name: "FunctionName", Value: { Ref: id } }];
const atLeast = (Threshold: number) => ({ Threshold, ComparisonOperator: "GreaterThanOrEqualToThreshold" });
const above = (Threshold: number) => ({ Threshold, ComparisonOperator: "GreaterThanThreshold" });

/** The stage's own namespace, as the functions have it in METRICS_NAMESPACE. */
export const METRICS = { Ref: "AWS::StackName" };
/** Of one minute, and silence is good news. */
const oneMinute = { Period: 60, EvaluationPeriods: 1, TreatMissingData: "notBreaching" };
const saysWhenOver = { OKActions: [{ Ref: "Alerts" }] };
export const deadLetters = {
  Namespace: "AWS/SQS",
  MetricName: "ApproximateNumberOfMessagesVisible",
  Statistic: "Maximum",
};
const anyDeadLetter = { ...deadLetters, ...atLeast(1), ...oneMinute, ...saysWhenOver };
const ofLambda = { Namespace: "AWS/Lambda", Statistic: "Sum", ...atLeast(1), ...oneMinute, ...saysWhenOver };
/** That nothing came in the minute after does not mean that it is over. */
const happened = { Namespace: METRICS, Statistic: "Sum", ...atLeast(1), ...oneMinute };

export const ALARMS = {
  InboxDeadLettersAlarm: { ...anyDeadLetter, Dimensions: queueName("InboxDeadLetters") },
  NotifyDeadLettersAlarm: { ...anyDeadLetter, Dimensions: queueName("NotifyDeadLetters") },
  InboxAgeAlarm: {
    Namespace: "AWS/SQS",
    MetricName: "ApproximateAgeOfOldestMessage",
    Statistic: "Maximum",
    ...above(120),
    ...oneMinute,
    ...saysWhenOver,
    Dimensions: queueName("Inbox"),
  },
  RespondErrorsAlarm: { ...ofLambda, MetricName: "Errors", Dimensions: functionName("RespondLambdaFunction") },
  RespondThrottlesAlarm: { ...ofLambda, MetricName: "Throttles", Dimensions: functionName("RespondLambdaFunction") },
  WebhookServerErrorsAlarm: {
    Namespace: "AWS/ApiGateway",
    MetricName: "5xx",
    Statistic: "Sum",
    ...atLeast(1),
    ...oneMinute,
    ...saysWhenOver,
    Dimensions: [{ Name: "ApiId", Value: { Ref: "HttpApi" } }],
  },
  ContainmentsFailedAlarm: { ...happened, MetricName: "ContainmentsFailed" },
  BrakeHeldAlarm: { ...happened, MetricName: "BrakeHeld" },
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
  SweepUnreadAlarm: {
    Namespace: METRICS,
    MetricName: "SweepUnread",
    Statistic: "Minimum",
    ...atLeast(1),
    Period: 900,
    EvaluationPeriods: 2,
    TreatMissingData: "notBreaching",
    ...saysWhenOver,
  },
  SweepDeadLettersAlarm: { ...anyDeadLetter, Dimensions: queueName("SweepDeadLetters") },
};
