import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sqsInbox } from "../../lib/inbox/inbox.ts";
import type { Signal, UsageTriggerSignal } from "../../lib/inbox/messages.ts";
import { jsonLog } from "../../lib/log.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { signingTokens } from "../../lib/webhooks/signing-tokens.ts";
import { usageTriggerWebhook } from "../../lib/webhooks/usage-trigger.ts";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { clockAt } from "../local/twilio/webhook.ts";
import { mostStored } from "../support/door-bound.ts";
import { policyOf } from "../support/policies.ts";
import { firing, signedPost, WEBHOOK_PATH } from "../support/signed-webhook.ts";
import { PUBLIC_URL, type Surroundings, startSurroundings } from "../support/webhook-server.ts";

// Whoever holds an account's auth token signs whatever they like, as fast as they can. What waits in the queue then?

const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  monthly-spend: { category: totalprice, by: price, every: month, at: 1000, then: suspend }
  many-calls: { category: calls, by: count, every: day, at: 50, then: alert }
unlisted: alert
`);
const START = Date.parse("2026-10-04T12:00:00.250Z");
const clock = clockAt(new Date(START).toISOString());
const lines: string[] = [];
const saved = { ...process.env };

let surroundings: Surroundings;
let app: ReturnType<typeof usageTriggerWebhook>;

beforeAll(async () => {
  surroundings = await startSurroundings();
  const { environment, parent, twilio } = surroundings;
  Object.assign(process.env, environment);
  const authToken = async () => parent.authToken;
  const client = twilioClient({ accountSid: parent.accountSid, authToken, apiUrl: twilio.url });
  const log = jsonLog((line) => lines.push(line));
  app = usageTriggerWebhook({
    publicUrl: PUBLIC_URL,
    tokens: signingTokens({ twilio: client, parentToken: authToken, clock, log }),
    parentSid: parent.accountSid,
    policy: POLICY,
    inbox: sqsInbox(new SQSClient({ maxAttempts: 1 }), environment.INBOX_QUEUE_URL),
    clock,
    log,
  });
});
afterAll(async () => {
  await surroundings.close();
  process.env = { ...saved };
});

type Changes = Parameters<typeof firing>[1];
interface Sent {
  /** Of the callback's address. */
  limit: string;
  changes: Changes;
}

async function send({ accountSid, authToken }: AccountSummary, { limit, changes }: Sent): Promise<number> {
  const path = `${WEBHOOK_PATH}?limit=${limit}`;
  const post = signedPost({ authToken, url: PUBLIC_URL + path, form: firing(accountSid, changes) });
  const response = await app.request(path, post);
  return response.status;
}

const FIRED = [
  "Sun, 04 Oct 2026 12:00:00 +0000",
  "Sun, 04 Oct 2026 06:00:00 +0000",
  "Sat, 03 Oct 2026 12:00:00 +0000",
  "Mon, 05 Oct 2026 12:00:00 +0000",
  "at noon",
];
const VALUES: Changes[] = [
  { CurrentValue: "81", TriggerValue: "80" },
  { CurrentValue: "1", TriggerValue: "80" },
  { CurrentValue: "130", TriggerValue: "100" },
  { CurrentValue: "lots" },
  { UsageCategory: "calls", TriggerBy: "count", CurrentValue: "55", TriggerValue: "50" },
  { Recurring: "", CurrentValue: "3", TriggerValue: "2" },
  { Recurring: "monthly", CurrentValue: "+1e3" },
];
const LIMITS = ["daily-warning", "daily-spend", "many-calls", "made-up", "", "another"];

/** Every kind there is, in turn. */
function forged(nth: number): Sent {
  const at = <T>(from: readonly T[], step: number): T | undefined => from[Math.floor(nth / step) % from.length];
  return {
    limit: `${at(LIMITS, 1)}${nth % 3 === 0 ? nth : ""}`,
    changes: { ...at(VALUES, 1), DateFired: at(FIRED, 7), Nth: String(nth) },
  };
}

const isStop = (signal: Signal): signal is UsageTriggerSignal =>
  signal.kind === "usage-trigger" && signal.usageCategory === "totalprice" && Number(signal.currentValue) >= 100;

test("of 400 rightly signed forgeries of all kinds within two seconds, as many wait as the policy bounds", async () => {
  const [thief, other] = [surroundings.simulator.addSubaccount(), surroundings.simulator.addSubaccount()];
  const genuine = { limit: "daily-spend", changes: { CurrentValue: "130", TriggerValue: "100", DateFired: FIRED[0] } };
  const statuses = new Set<number>();
  for (let nth = 0; nth < 400; nth += 1) {
    clock.set(new Date(START + nth * 5).toISOString());
    if (nth === 200) expect([await send(thief, genuine), await send(other, genuine)]).toEqual([204, 204]);
    statuses.add(await send(thief, forged(nth)));
  }
  expect([...statuses]).toEqual([204]);

  const waiting = surroundings.stored(thief.accountSid);
  expect(waiting.length).toBeGreaterThan(8);
  expect(waiting.length).toBeLessThanOrEqual(mostStored(POLICY, 2000));
  // In each second something that may stop the account; nothing of the flood stands for another account's.
  expect(waiting.filter(isStop).length).toBeGreaterThanOrEqual(2);
  expect(surroundings.stored(other.accountSid)).toHaveLength(1);
});

test("what was rightly signed, and could not be stored, is counted", async () => {
  const { simulator, sqs } = surroundings;
  sqs.fail({ do: "cut" });
  const firstOfAll = lines.length;
  expect(await send(simulator.addSubaccount(), forged(0))).toBe(503);
  sqs.clear();
  const counted = lines.slice(firstOfAll).map((line): object => JSON.parse(line));
  expect(counted).toContainEqual(expect.objectContaining({ WebhooksNotStored: 1, kind: "usage-trigger" }));
});
