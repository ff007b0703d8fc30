import * as z from "zod/mini";
import type { Template } from "./packaged.ts";

/** What CloudFormation puts in place of references, as far as the functions' environments use them. */
const VALUES: Readonly<Record<string, string>> = {
  HttpApi: "abc123",
  "AWS::StackName": "tollbreaker-test",
  "AWS::Region": "eu-west-1",
  "AWS::URLSuffix": "amazonaws.com",
  Inbox: "https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-test-inbox.fifo",
  FollowUpQueue: "https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-test-follow-up",
  FollowUpDeadLetters: "https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-test-follow-up-dead-letters",
  NotifyQueue: "https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-test-notify",
  SweepQueue: "https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-test-sweep",
  Incidents: "tollbreaker-test-Incidents-1ABC",
  Alerts: "arn:aws:sns:eu-west-1:123456789012:tollbreaker-test-alerts",
};
const PARAMETER_STORE: Readonly<Record<string, string>> = {
  "/tollbreaker/test/twilio-account-sid": "AC00000000000000000000000000000001",
};

const Variables = z.record(z.string(), z.unknown());
const Environment = z.object({ Variables });
const Reference = z.object({ Ref: z.string() });
const Substitution = z.object({ "Fn::Sub": z.string() });
const Choice = z.object({ "Fn::If": z.tuple([z.literal("HasPublicUrl"), z.unknown(), z.unknown()]) });

/** The environment of `functionId` as the template writes it, and as the function sees it once it is deployed. */
export function environmentOf({ Resources }: Template, functionId: string) {
  const { Variables: written } = z.parse(Environment, Resources[functionId]?.Properties["Environment"]);
  const deployed = Object.fromEntries(Object.entries(written).map(([name, value]) => [name, asDeployed(value)]));
  return { written, deployed };
}

/** Throws for anything else than what the functions' environments are made of, so that nothing passes unseen. */
function asDeployed(written: unknown): string {
  if (typeof written === "string") return fromParameterStore(written);
  const choice = z.safeParse(Choice, written);
  if (choice.success) return asDeployed(choice.data["Fn::If"][2]);
  const substitution = z.safeParse(Substitution, written);
  if (substitution.success) return substitution.data["Fn::Sub"].replace(/\$\{([\w:]+)\}/g, (_, name) => known(name));
  return known(z.parse(Reference, written).Ref);
}

function fromParameterStore(text: string): string {
  return text.replace(/\{\{resolve:ssm:([\w/-]+)\}\}/g, (_, name) => known(name, PARAMETER_STORE));
}

function known(name: string, values = VALUES): string {
  const value = values[name];
  if (value === undefined) throw new Error(`the test knows no value for ${name}: add one to ${import.meta.filename}`);
  return value;
}
