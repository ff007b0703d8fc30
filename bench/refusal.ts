import pLimit from "p-limit";
import type { Effort } from "./effort.ts";
import { type SignedWebhook, signedFiring, signedWebhook, WEBHOOK_PATH } from "./firing.ts";
import { AT_ONCE, expectAnswer, OURS, type Server, startServer } from "./measured-webhook.ts";
import { median } from "./median.ts";
import { type Row, row } from "./row.ts";
import { PUBLIC_URL, startQuietTwilio } from "./world.ts";

/** What the route of usage triggers lets in: lib/webhooks/usage-trigger.ts. */
const MOST_BYTES = 32 * 1024;
const MOST_PARAMETERS = 100;
/** A longer query is refused unread: lib/webhooks/receive-webhook.ts. */
const LONGEST_QUERY = 2048;
/** Each way to write it is another address that may have been signed. */
const AMBIGUOUS = "a%27c%40d%2Fe%7Ef%20g+h%21i%5Bj%23k%26";
/** A body that is read to its end, and refused for its size. */
const HUGE_BYTES = 262_000;
const HUGE_PARAMETERS = 62_000;

/** What strangers can make us work: processor time to refuse a forged body, against that for a genuine one. */
export async function measureRefusals({ rounds, refusals }: Effort): Promise<Row[]> {
  const twilio = await startQuietTwilio(1);
  const [account] = twilio.subaccounts();
  if (account === undefined) throw new RangeError("The simulated Twilio has no subaccount.");
  const server = await startServer(OURS, twilio);
  try {
    const { accountSid } = account;
    const forgeries = {
      large: forgedBody(accountSid, { bytes: MOST_BYTES, parameters: MOST_PARAMETERS }),
      ambiguous: {
        ...forgedBody(accountSid, { bytes: MOST_BYTES, parameters: MOST_PARAMETERS }),
        path: ambiguousPath(),
      },
      huge: forgedBody(accountSid, { bytes: HUGE_BYTES, parameters: HUGE_PARAMETERS }),
    };
    const costs: Costs = { genuine: [], large: [], ambiguous: [], huge: [] };
    // The first is not counted: everything is new.
    for (let round = 0; round <= rounds; round++) {
      const measured = {
        genuine: await costOf(server, signedFiring(account, PUBLIC_URL), refusals, [204]),
        // 503 where the account was looked at too often just now to tell it from one signed with a new token.
        large: await costOf(server, forgeries.large, refusals, [403, 503]),
        ambiguous: await costOf(server, forgeries.ambiguous, refusals, [403, 503]),
        huge: await costOf(server, forgeries.huge, refusals, [413]),
      };
      if (round > 0) for (const kind of KINDS) costs[kind].push(measured[kind]);
    }
    return rowsOf(costs);
  } finally {
    server.close();
    await twilio.close();
  }
}

const KINDS = ["genuine", "large", "ambiguous", "huge"] as const;
/** Microseconds of processor time for each webhook. */
type Costs = Record<(typeof KINDS)[number], number[]>;

function rowsOf(costs: Costs): Row[] {
  const peer = { name: "a genuine webhook", value: median(costs.genuine) };
  const refused = (what: string, ours: number[]) =>
    row({ measure: `refusing a forged webhook: ${what}`, unit: "µs", ours: median(ours), peer });
  return [
    refused("32 KB, 100 parameters", costs.large),
    refused("the same, to an address of 2 KB that may be written in many ways", costs.ambiguous),
    refused("262 KB, 62,000 parameters", costs.huge),
  ];
}

async function costOf(server: Server, webhook: SignedWebhook, count: number, statuses: number[]): Promise<number> {
  const atOnce = pLimit(AT_ONCE);
  const before = await server.cpuMicroseconds();
  await Promise.all(Array.from({ length: count }, () => atOnce(() => expectAnswer(server, webhook, ...statuses))));
  return ((await server.cpuMicroseconds()) - before) / count;
}

/** So many parameters in so many bytes, most of them in the last one; short names come again where there are many. */
function forgedBody(accountSid: string, { bytes, parameters }: { bytes: number; parameters: number }): SignedWebhook {
  const names = Array.from({ length: parameters - 1 }, (_, nth) => (nth % SHORT_NAMES).toString(36));
  const start = `${[`AccountSid=${accountSid}`, ...names].join("&")}=`;
  const { path, headers } = signedWebhook({}, { authToken: "forged", publicUrl: PUBLIC_URL, path: WEBHOOK_PATH });
  return { path, headers, body: start.padEnd(bytes, "x") };
}

/** Of three characters at most. */
const SHORT_NAMES = 36 ** 3;

function ambiguousPath(): string {
  const query = `?limit=${AMBIGUOUS.repeat(Math.floor((LONGEST_QUERY - 7) / AMBIGUOUS.length))}`;
  return WEBHOOK_PATH + query;
}
