import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const REPOSITORY = resolve(import.meta.dirname, "../..");

/** The IAM action that each command of the AWS SDK needs. */
const ACTIONS: Readonly<Record<string, string>> = {
  GetCommand: "dynamodb:GetItem",
  BatchGetCommand: "dynamodb:BatchGetItem",
  PutCommand: "dynamodb:PutItem",
  UpdateCommand: "dynamodb:UpdateItem",
  QueryCommand: "dynamodb:Query",
  SendMessageCommand: "sqs:SendMessage",
  ChangeMessageVisibilityBatchCommand: "sqs:ChangeMessageVisibility",
  PublishCommand: "sns:Publish",
  GetParameterCommand: "ssm:GetParameter",
};

/** The IAM actions that the code of a handler needs, read from those of our files that end up in its bundle. */
export async function actionsCalledBy(entry: string): Promise<string[]> {
  const sources = await Promise.all((await ownFilesOf(entry)).map((file) => readFile(join(REPOSITORY, file), "utf8")));
  const commands = sources.flatMap((source) => [...source.matchAll(/new (\w+Command)\(/g)].map(([, name = ""]) => name));
  return [...new Set(commands.map(actionOf))].sort();
}

async function ownFilesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  return Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
}

function actionOf(command: string): string {
  const action = ACTIONS[command];
  if (action === undefined) throw new Error(`which IAM action does ${command} need? Add it to ${import.meta.filename}`);
  return action;
}
