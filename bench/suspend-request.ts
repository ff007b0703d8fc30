import { setTimeout as sleep } from "node:timers/promises";
import { TollbreakerError } from "../lib/errors.ts";
import { monotonicMs } from "./monotonic.ts";
import type { CountingProxy, Exchange } from "./proxy.ts";

type Proxy = Pick<CountingProxy, "exchanges">;

/**
 * The request that suspends the account, on its way to Twilio.
 * @throws TollbreakerError `bench-never-suspended`
 */
export function suspendRequest(accountSid: string, twilio: Proxy): Exchange {
  const suspending = find(accountSid, twilio);
  if (suspending !== undefined) return suspending;
  throw new TollbreakerError("bench-never-suspended", "A firing did not lead to a suspend request.", {
    expected: `${wantedOf(accountSid)} at the simulated Twilio`,
    got: "no such request",
    fix: "npm run demo shows the same path, step by step",
  });
}

const LOOK_EVERY_MS = 10;

/** The same, once it was sent; waits for it. @throws TollbreakerError `bench-never-suspended` after `longestMs` */
export async function nextSuspendRequest(accountSid: string, twilio: Proxy, longestMs: number): Promise<Exchange> {
  const end = monotonicMs() + longestMs;
  while (find(accountSid, twilio) === undefined && monotonicMs() < end) await sleep(LOOK_EVERY_MS);
  return suspendRequest(accountSid, twilio);
}

function find(accountSid: string, { exchanges }: Proxy): Exchange | undefined {
  const wanted = wantedOf(accountSid);
  return exchanges.find(({ what }) => what === wanted);
}

function wantedOf(accountSid: string): string {
  return `POST /api/2010-04-01/Accounts/${accountSid}.json`;
}
