import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod/mini";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const SERVERLESS = join(REPOSITORY, "node_modules/serverless/bin/serverless.js");
const LINKED = ["package.json", "tsconfig.json", "node_modules", "handlers", "lib", "build", "infra", "policy.yml"];

const Failed = z.looseObject({ stdout: z.string() });
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
  remove(): Promise<void>;
}

/** What stands in the packaging shell's environment, and must never reach the package. */
export const SECRETS_OF_THE_SHELL = {
  TWILIO_AUTH_TOKEN: "secret-canary-auth-token",
  SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/secret-canary",
  OPERATORS: '[{"name":"secret-canary"}]',
};

/**
 * Packages the stack as `npx serverless package` does: with this Node, no AWS account, and nothing of the person's own
 * configuration. In a directory of its own, so that it disturbs no other packaging of the same tree.
 */
export async function packageStack(...parameters: readonly string[]): Promise<Packaged> {
  const home = await mkdtemp(join(tmpdir(), "tollbreaker-package-"));
  const remove = () => rm(home, { recursive: true, force: true });
  try {
    await Promise.all(LINKED.map((name) => symlink(join(REPOSITORY, name), join(home, name))));
    // Serverless takes no link for its configuration.
    await copyFile(join(REPOSITORY, "serverless.yml"), join(home, "serverless.yml"));
    const directory = join(home, "package");
    const options = parameters.map((parameter) => `--param=${parameter}`);
    await serverless(home, ["package", "--package", directory, "--stage", "test", "--region", "eu-west-1", ...options]);
    return { directory, template: await readTemplate(directory), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function serverless(home: string, options: string[]): Promise<void> {
  const env = { PATH: process.env["PATH"], HOME: home, ...SECRETS_OF_THE_SHELL };
  await run(process.execPath, [SERVERLESS, ...options], { cwd: home, env }).catch((error: unknown) => {
    // Its reasons are on standard output, which the error's own message leaves out.
    throw new Error(`serverless ${options.join(" ")} failed: ${z.safeParse(Failed, error).data?.stdout}`, {
      cause: error,
    });
  });
}

async function readTemplate(directory: string): Promise<Template> {
  const json = await readFile(join(directory, "cloudformation-template-update-stack.json"), "utf8");
  return z.parse(Template, JSON.parse(json));
}
