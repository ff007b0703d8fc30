import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export interface Bundle {
  /** The files of the function's zip. */
  files: ReadonlyMap<string, Buffer>;
  /** The one that holds the handler, such as `handlers/respond.mjs`. */
  entry: string;
  environment: Readonly<Record<string, string>>;
}

/**
 * Unpacks a function where no node_modules is in reach, imports it in a process of its own with this environment and no
 * other, and returns what `expression` (of `module`) is there, as JSON.
 */
export async function inFreshProcess({ files, entry, environment }: Bundle, expression: string): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), "tollbreaker-function-"));
  try {
    for (const [name, content] of files) await unpack(join(directory, name), content);
    const script = [
      `const module = await import(${JSON.stringify(join(directory, entry))});`,
      `process.stdout.write("\\n" + JSON.stringify(await (${expression})));`,
    ];
    const options = { cwd: directory, env: { ...environment, AWS_REGION: "eu-west-1" }, timeout: 20_000 };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", script.join("\n")],
      options,
    );
    // The last line: what the function logs comes before it.
    return JSON.parse(stdout.slice(stdout.lastIndexOf("\n")));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function unpack(file: string, content: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** An HTTP API event, payload 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export function httpEvent(method: string, path: string, headers: Record<string, string> = {}, body?: string): string {
  const http = { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" };
  return JSON.stringify({
    version: "2.0",
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: "",
    headers: { host: "abc123.execute-api.eu-west-1.amazonaws.com", ...headers },
    requestContext: { http, domainName: "abc123.execute-api.eu-west-1.amazonaws.com", stage: "$default" },
    body,
    isBase64Encoded: false,
  });
}
