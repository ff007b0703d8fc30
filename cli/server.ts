import * as z from "zod/mini";
import { DEFAULT_DATA_DIR, type Discovery, readDiscovery } from "../local/discovery.ts";
import { EXIT, Failure } from "./failure.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A server to talk to: its base URL, and the token that opens it. */
export interface Server {
  url: string;
  token: string;
  /** Whether it is the local run of this directory rather than one named by TOLLBREAKER_URL. */
  local: boolean;
}

/**
 * The operator API to use: TOLLBREAKER_URL with TOLLBREAKER_TOKEN, or the local run. The local token goes only to the
 * local run.
 * @throws Failure when neither is there, or one without the other.
 */
export async function findServer(environment: Environment): Promise<Server> {
  const url = environment["TOLLBREAKER_URL"];
  return url ? namedServer(url, environment["TOLLBREAKER_TOKEN"]) : localServer(environment);
}

function namedServer(url: string, token: string | undefined): Server {
  if (!z.url({ protocol: /^https?$/ }).safeParse(url).success)
    throw new Failure(EXIT.usage, "url-invalid", "TOLLBREAKER_URL cannot be used.", {
      expected: "the address of a Tollbreaker, such as https://abc123.execute-api.eu-west-1.amazonaws.com",
      got: JSON.stringify(url),
      fix: "correct TOLLBREAKER_URL, or unset it to use the local run",
    });
  return { url, token: requireToken(token), local: false };
}

async function localServer(environment: Environment): Promise<Server> {
  const { url, token } = await localRun(environment);
  return { url, token: environment["TOLLBREAKER_TOKEN"] || requireToken(token ?? undefined), local: true };
}

/** Where `npm start` of this directory serves. @throws Failure when it isn't running. */
export async function localRun(environment: Environment): Promise<Discovery> {
  const dataDir = environment["DATA_DIR"] || DEFAULT_DATA_DIR;
  const run = await readDiscovery(dataDir);
  if (run !== undefined) return run;
  throw new Failure(EXIT.unreachable, "no-local-run", "No Tollbreaker was found.", {
    expected: `a local run that keeps its data in ${JSON.stringify(dataDir)}, or TOLLBREAKER_URL`,
    fix: "run `npm start` in another shell (is it running?), or set TOLLBREAKER_URL and TOLLBREAKER_TOKEN",
  });
}

// What a bearer token may consist of (RFC 6750, section 2.1); anything else would not fit into the header.
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

function requireToken(token: string | undefined): string {
  if (token !== undefined && TOKEN.test(token)) return token;
  throw new Failure(EXIT.notAuthorised, "token-missing", "There is no token that could be presented.", {
    expected: "TOLLBREAKER_TOKEN, the token whose SHA-256 is in OPERATORS: letters, digits and ._~+/-",
    got: token ? "a text with other characters" : "nothing",
    fix: "set TOLLBREAKER_TOKEN",
  });
}
