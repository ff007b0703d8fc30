/** What each function may do: the action and the resource of each statement. Written by hand, so that a change is seen. */
const arn = (resource: string) => ({ "Fn::GetAtt": [resource, "Arn"] });
const parameter = (name: string) => ({
  "Fn::Sub": `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/tollbreaker/test/${name}`,
});
const ownLogs = (logGroup: string) => ({
  Sid: "WriteOwnLogs",
  Effect: "Allow",
  Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
  Resource: arn(logGroup),
});
const readAuthToken = {
  Sid: "ReadAuthToken",
  Effect: "Allow",
  Action: "ssm:GetParameter",
  Resource: parameter("twilio-auth-token"),
};

export const PERMISSIONS = {
  UsageTriggerLambdaFunction: [
    ownLogs("UsageTriggerLogGroup"),
    readAuthToken,
    { Sid: "StoreSignals", Effect: "Allow", Action: "sqs:SendMessage", Resource: arn("Inbox") },
  ],
  DebuggerLambdaFunction: [
    ownLogs("DebuggerLogGroup"),
    readAuthToken,
    { Sid: "StoreSignals", Effect: "Allow", Action: "sqs:SendMessage", Resource: arn("Inbox") },
    {
      Sid: "CountErrors",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["WINDOW#*"] } },
    },
  ],
  RespondLambdaFunction: [
    ownLogs("RespondLogGroup"),
    readAuthToken,
    {
      Sid: "TakeFromInbox",
      Effect: "Allow",
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      Resource: arn("Inbox"),
    },
    {
      Sid: "KeepIncidents",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
    },
    {
      Sid: "ReadRoutings",
      Effect: "Allow",
      Action: "dynamodb:Query",
      Resource: arn("Incidents"),
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["ROUTING#*"] } },
    },
    { Sid: "Alert", Effect: "Allow", Action: "sns:Publish", Resource: { Ref: "Alerts" } },
    { Sid: "SignalTopSpender", Effect: "Allow", Action: "sqs:SendMessage", Resource: arn("Inbox") },
  ],
  NotifyLambdaFunction: [
    ownLogs("NotifyLogGroup"),
    {
      Sid: "ReadSlackWebhookUrl",
      Effect: "Allow",
      Action: "ssm:GetParameter",
      Resource: parameter("slack-webhook-url"),
    },
    {
      Sid: "TakeFromNotifyQueue",
      Effect: "Allow",
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
      Resource: arn("NotifyQueue"),
    },
  ],
  OperatorApiLambdaFunction: [
    ownLogs("OperatorApiLogGroup"),
    { Sid: "ReadOperators", Effect: "Allow", Action: "ssm:GetParameter", Resource: parameter("operators") },
    {
      Sid: "ReadIncidents",
      Effect: "Allow",
      Action: "dynamodb:Query",
      Resource: [
        arn("Incidents"),
        { "Fn::Sub": `\${Incidents.Arn}/index/by-state` },
        { "Fn::Sub": `\${Incidents.Arn}/index/by-account` },
      ],
    },
    {
      Sid: "ReadBrake",
      Effect: "Allow",
      Action: "dynamodb:GetItem",
      Resource: arn("Incidents"),
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["BRAKE"] } },
    },
    {
      Sid: "WatchTheDoor",
      Effect: "Allow",
      Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["OPERATOR#*", "ATTEMPTS#*"] } },
    },
    { Sid: "SendCommands", Effect: "Allow", Action: "sqs:SendMessage", Resource: arn("Inbox") },
  ],
};
