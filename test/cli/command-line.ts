import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Each process loads the same modules: compiled once is enough. */
const { NODE_COMPILE_CACHE: compiled } = process.env;
const COMPILED = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled };

/** Runs the command line as a process of its own, with nothing in its environment but `environment`. */
export async function tollbreaker(words: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { ...COMPILED, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

export interface Listening {
  url: string;
  close(): Promise<void>;
}

/** An HTTP server on a free loopback port. */
export async function serve(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${address.port}`, close };
}
