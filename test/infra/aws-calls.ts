import { resolve } from "node:path";
import { build } from "esbuild";

const REPOSITORY = resolve(import.meta.dirname, "../..");

/** The IAM action that each command of the AWS SDK needs. */
const ACTIONS: Readonly<Record<string, string>> = {
  DescribeTableCommand: "dynamodb:DescribeTable",
  GetCommand: "dynamodb:GetItem",
  BatchGetCommand: "dynamodb:BatchGetItem",
  PutCommand: "dynamodb:PutItem",
  UpdateCommand: "dynamodb:UpdateItem",
  QueryCommand: "dynamodb:Query",
  SendMessageCommand: "sqs:SendMessage",
  SendMessageBatchCommand: "sqs:SendMessage",
  ChangeMessageVisibilityBatchCommand: "sqs:ChangeMessageVisibility",
  PublishCommand: "sns:Publish",
  GetParametersCommand: "ssm:GetParameters",
};

/** The IAM actions that the code of a handler needs: what is left of our own code when it is bundled. */
export async function actionsCalledBy(entry: string): Promise<string[]> {
  const code = await ownCodeOf(entry);
  // Where several files import the same command, the bundle numbers its names.
  const commands = [...code.matchAll(/new (\w+Command)\d*\(/g)].map(([, name = ""]) => name);
  // The SDK's own paginators make the command themselves.
  const paginated = [...code.matchAll(/\bpaginate([A-Za-z]+)\d*\(/g)].map(([, name = ""]) => `${name}Command`);
  return [...new Set([...commands, ...paginated].map(actionOf))].sort();
}

async function ownCodeOf(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    write: false,
  });
  return outputFiles.map(({ text }) => text).join("\n");
}

function actionOf(command: string): string {
  const action = ACTIONS[command];
  if (action === undefined) throw new Error(`which IAM action does ${command} need? Add it to ${import.meta.filename}`);
  return action;
}
