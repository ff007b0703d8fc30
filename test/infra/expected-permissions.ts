import type { Statement } from "./statements.ts";

/** What each function may do: the action and the resource of each statement. Written by hand, so that a change is seen. */
const arn = (resource: string) => ({ "Fn::GetAtt": [resource, "Arn"] });
const parameter = (name: string) => ({
  "Fn::Sub": `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/tollbreaker/test/${name}`,
});
const ownLogs = (logGroup: string) => ({
  Sid: "WriteOwnLogs",
  Effect: "Allow" as const,
  Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
  Resource: arn(logGroup),
});
const leading = (...keys: string[]) => ({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
const readAuthToken = {
  Sid: "ReadAuthToken",
  Effect: "Allow" as const,
  Action: "ssm:GetParameters",
  Resource: parameter("twilio-auth-token"),
};
const readOperators = {
  Sid: "ReadOperators",
  Effect: "Allow" as const,
  Action: "ssm:GetParameters",
  Resource: parameter("operators"),
};
const readIncidents = {
  Sid: "ReadIncidents",
  Effect: "Allow" as const,
  Action: "dynamodb:Query",
  Resource: arn("Incidents"),
  Condition: leading("INCIDENT#*"),
};
const listIncidents = {
  Sid: "ListIncidents",
  Effect: "Allow" as const,
  Action: "dynamodb:Query",
  Resource: [{ "Fn::Sub": `\${Incidents.Arn}/index/by-state` }, { "Fn::Sub": `\${Incidents.Arn}/index/by-account` }],
};
const readBrake = {
  Sid: "ReadBrake",
  Effect: "Allow" as const,
  Action: ["dynamodb:GetItem", "dynamodb:Query"],
  Resource: arn("Incidents"),
  Condition: leading("BRAKE", "BRAKE-WAITING"),
};
const alert = { Sid: "Alert", Effect: "Allow" as const, Action: "sns:Publish", Resource: { Ref: "Alerts" } };
const sendTo = (queue: string, Sid: string) => ({
  Sid,
  Effect: "Allow" as const,
  Action: "sqs:SendMessage",
  Resource: arn(queue),
});

export const PERMISSIONS = {
  UsageTriggerLambdaFunction: [ownLogs("UsageTriggerLogGroup"), readAuthToken, sendTo("Inbox", "StoreSignals")],
  DebuggerLambdaFunction: [
    ownLogs("DebuggerLogGroup"),
    readAuthToken,
    sendTo("Inbox", "StoreSignals"),
    {
      Sid: "CountErrors",
      Effect: "Allow" as const,
      Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: leading("WINDOW#*"),
    },
  ],
  RespondLambdaFunction: [
    ownLogs("RespondLogGroup"),
    readAuthToken,
    {
      Sid: "TakeFromInbox",
      Effect: "Allow" as const,
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      Resource: arn("Inbox"),
    },
    {
      Sid: "KeepIncidents",
      Effect: "Allow" as const,
      Action: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
    },
    {
      Sid: "ReadRoutings",
      Effect: "Allow" as const,
      Action: "dynamodb:Query",
      Resource: arn("Incidents"),
      Condition: leading("ROUTING#*"),
    },
    {
      Sid: "ListWaiting",
      Effect: "Allow" as const,
      Action: "dynamodb:Query",
      Resource: arn("Incidents"),
      Condition: leading("BRAKE-WAITING"),
    },
    alert,
    sendTo("Inbox", "PutIntoInbox"),
    {
      Sid: "TakeFollowUps",
      Effect: "Allow" as const,
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
      Resource: arn("FollowUpQueue"),
    },
    {
      Sid: "PutAside",
      Effect: "Allow" as const,
      Action: "sqs:SendMessage",
      Resource: [arn("FollowUpQueue"), arn("FollowUpDeadLetters")],
    },
  ],
  SweepLambdaFunction: [
    ownLogs("SweepLogGroup"),
    readAuthToken,
    {
      Sid: "KeepPresentSweep",
      Effect: "Allow" as const,
      Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: leading("SWEEP"),
    },
    {
      Sid: "ReadTableAge",
      Effect: "Allow" as const,
      Action: "dynamodb:DescribeTable",
      Resource: arn("Incidents"),
    },
    { ...listIncidents, Resource: { "Fn::Sub": `\${Incidents.Arn}/index/by-state` } },
    sendTo("SweepQueue", "QueueShards"),
    alert,
  ],
  SweepShardLambdaFunction: [
    ownLogs("SweepShardLogGroup"),
    readAuthToken,
    {
      Sid: "TakeShards",
      Effect: "Allow" as const,
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      Resource: arn("SweepQueue"),
    },
    {
      Sid: "ReportToPresentSweep",
      Effect: "Allow" as const,
      Action: ["dynamodb:GetItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: leading("SWEEP"),
    },
    {
      Sid: "RecallAccounts",
      Effect: "Allow" as const,
      Action: "dynamodb:BatchGetItem",
      Resource: arn("Incidents"),
      Condition: leading("SWEEP#*", "ACCOUNT#*", "INCIDENT#*", "FIRED#*"),
    },
    {
      Sid: "RememberAccounts",
      Effect: "Allow" as const,
      Action: "dynamodb:UpdateItem",
      Resource: arn("Incidents"),
      Condition: leading("SWEEP#*"),
    },
    {
      Sid: "KeepSpendSamples",
      Effect: "Allow" as const,
      Action: ["dynamodb:PutItem", "dynamodb:Query"],
      Resource: arn("Incidents"),
      Condition: leading("SAMPLE#*"),
    },
    sendTo("Inbox", "SignalWhatWasFound"),
    alert,
  ],
  NotifyLambdaFunction: [
    ownLogs("NotifyLogGroup"),
    {
      Sid: "ReadSlackSecrets",
      Effect: "Allow" as const,
      Action: "ssm:GetParameters",
      Resource: [parameter("slack-bot-token"), parameter("slack-webhook-url")],
    },
    {
      Sid: "KeepSlackMessages",
      Effect: "Allow" as const,
      Action: ["dynamodb:GetItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: leading("SLACK#*"),
    },
    {
      Sid: "NoteDrills",
      Effect: "Allow" as const,
      Action: "dynamodb:UpdateItem",
      Resource: arn("Incidents"),
      Condition: leading("DRILL#*"),
    },
    {
      Sid: "TakeFromNotifyQueue",
      Effect: "Allow" as const,
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
      Resource: arn("NotifyQueue"),
    },
  ],
  OperatorApiLambdaFunction: [
    ownLogs("OperatorApiLogGroup"),
    readOperators,
    readIncidents,
    listIncidents,
    readBrake,
    {
      Sid: "ReadRaises",
      Effect: "Allow" as const,
      Action: "dynamodb:Query",
      Resource: arn("Incidents"),
      Condition: leading("RAISES"),
    },
    {
      Sid: "ReadDrills",
      Effect: "Allow" as const,
      Action: "dynamodb:GetItem",
      Resource: arn("Incidents"),
      Condition: leading("DRILL#*"),
    },
    {
      Sid: "WatchTheDoor",
      Effect: "Allow" as const,
      Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
      Resource: arn("Incidents"),
      Condition: leading("OPERATOR#*", "ATTEMPTS#*"),
    },
    sendTo("Inbox", "SendCommands"),
  ],
  SlackLambdaFunction: [
    ownLogs("SlackLogGroup"),
    {
      Sid: "ReadSlackSecrets",
      Effect: "Allow" as const,
      Action: "ssm:GetParameters",
      Resource: [parameter("slack-bot-token"), parameter("slack-signing-secret")],
    },
    readOperators,
    readIncidents,
    listIncidents,
    readBrake,
    {
      Sid: "NoteRequests",
      Effect: "Allow" as const,
      Action: "dynamodb:PutItem",
      Resource: arn("Incidents"),
      Condition: leading("SLACK-REQUEST#*"),
    },
    {
      Sid: "NoteUses",
      Effect: "Allow" as const,
      Action: "dynamodb:UpdateItem",
      Resource: arn("Incidents"),
      Condition: leading("OPERATOR#*"),
    },
    sendTo("Inbox", "SendCommands"),
  ],
} satisfies Record<string, Statement[]>;
