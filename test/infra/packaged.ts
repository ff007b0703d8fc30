import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod/mini";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const SERVERLESS = join(REPOSITORY, "node_modules/serverless/bin/serverless.js");
const LINKED = ["package.json", "tsconfig.json", "node_modules", "handlers", "lib", "build", "infra", "policy.yml"];

const Failed = z.looseObject({ stdout: z.string(), stderr: z.string() });
const Template = z.object({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z._default(z.record(z.string(), z.unknown()), {}) }),
  ),
  Conditions: z.record(z.string(), z.unknown()),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })),
});
export type Template = z.infer<typeof Template>;
export type Resource = Template["Resources"][string];

export interface Packaged {
  /** Where the template and the functions' zip files are. */
  directory: string;
  template: Template;
  /** What a person saw. */
  output: string;
  remove(): Promise<void>;
}

/** Where Serverless runs: the project by links, without a stage file of anybody's. */
export interface Home {
  path: string;
  /** Runs `serverless` as a person would there: with this Node, and nothing of the person's own configuration. */
  serverless(options: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string>;
  /** Puts another policy in the place of the project's. */
  writePolicy(text: string): Promise<void>;
  remove(): Promise<void>;
}

const STAGE = "test";

/** What stands in the packaging shell's environment, and must never reach the package. */
export const SECRETS_OF_THE_SHELL = {
  TWILIO_AUTH_TOKEN: "secret-canary-auth-token",
  SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/secret-canary",
  OPERATORS: '[{"name":"secret-canary"}]',
};

/**
 * Packages the stack as `npx serverless package` does: no AWS account, and no file of the stage. In a directory of its own,
 * so that it disturbs no other packaging of the same tree.
 */
export async function packageStack(...parameters: readonly string[]): Promise<Packaged> {
  return packageStage({ parameters });
}

/** The same, with `file` as the settings of its stage. */
export async function packageStage(given: { file?: string; parameters?: readonly string[] }): Promise<Packaged> {
  const home = await makeHome(given.file);
  try {
    const directory = join(home.path, "package");
    const options = (given.parameters ?? []).map((parameter) => `--param=${parameter}`);
    const output = await home.serverless(["package", "--package", directory, ...options]);
    return { directory, template: await readTemplate(directory), output, remove: home.remove };
  } catch (error) {
    await home.remove();
    throw error;
  }
}

/** @param file the settings of the stage `test`; without it, it has none */
export async function makeHome(file?: string): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), "tollbreaker-package-"));
  await Promise.all(LINKED.map((name) => symlink(join(REPOSITORY, name), join(path, name))));
  // Serverless takes no link for its configuration.
  await copyFile(join(REPOSITORY, "serverless.yml"), join(path, "serverless.yml"));
  await mkdir(join(path, "stages"));
  if (file !== undefined) await writeFile(join(path, "stages", `${STAGE}.yml`), file);
  return {
    path,
    serverless: (options, environment = {}) =>
      serverless(path, [...options, "--stage", STAGE, "--region", "eu-west-1"], environment),
    writePolicy: async (text) => {
      await rm(join(path, "policy.yml"));
      await writeFile(join(path, "policy.yml"), text);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

async function serverless(
  home: string,
  options: string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const env = { PATH: process.env["PATH"], HOME: home, ...SECRETS_OF_THE_SHELL, ...environment };
  try {
    const { stdout, stderr } = await run(process.execPath, [SERVERLESS, ...options], { cwd: home, env });
    return `${stdout}${stderr}`;
  } catch (error) {
    // Its reasons are on standard output, which the error's own message leaves out.
    const { stdout, stderr } = z.parse(Failed, error);
    throw new Error(`serverless ${options.join(" ")} failed: ${stdout}${stderr}`, { cause: error });
  }
}

async function readTemplate(directory: string): Promise<Template> {
  const json = await readFile(join(directory, "cloudformation-template-update-stack.json"), "utf8");
  return z.parse(Template, JSON.parse(json));
}
