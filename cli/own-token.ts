import type { OperatorRecord } from "../lib/operators/operator-record.ts";
import { hashOf } from "../lib/operators/operator-token.ts";
import { DEFAULT_DATA_DIR, readDiscovery } from "../local/discovery.ts";
import type { Environment } from "./server.ts";

/** What to tell whoever took the very token out of a list that their command line presents; undefined otherwise. */
export async function warningOfOwn(
  gone: readonly OperatorRecord[],
  environment: Environment,
): Promise<string | undefined> {
  const isOf = (token: string) => gone.some(({ sha256 }) => sha256 === hashOf(token).toString("hex"));
  const given = environment["TOLLBREAKER_TOKEN"];
  if (given) return isOf(given) ? OWN : undefined;
  if (environment["TOLLBREAKER_URL"]) return undefined;
  const run = await readDiscovery(environment["DATA_DIR"] || DEFAULT_DATA_DIR);
  return run?.token && isOf(run.token) ? LOCAL : undefined;
}

const OWN = "That was the token in TOLLBREAKER_TOKEN: your own next commands will be refused.";
const LOCAL = [
  "That was the token that this command line uses itself: its next commands will be refused.",
  "The next `npm start` makes a new one; until then set TOLLBREAKER_TOKEN to another operator's.",
].join("\n");
