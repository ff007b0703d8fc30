import { TollbreakerError } from "../lib/errors.ts";
import type { CountingProxy, Exchange } from "./proxy.ts";

/**
 * The request that suspends the account, on its way to Twilio.
 * @throws TollbreakerError `bench-never-suspended`
 */
export function suspendRequest(accountSid: string, twilio: Pick<CountingProxy, "exchanges">): Exchange {
  const wanted = `POST /api/2010-04-01/Accounts/${accountSid}.json`;
  const suspending = twilio.exchanges.find(({ what }) => what === wanted);
  if (suspending !== undefined) return suspending;
  throw new TollbreakerError("bench-never-suspended", "A firing did not lead to a suspend request.", {
    expected: `${wanted} at the simulated Twilio`,
    got: "no such request",
    fix: "npm run demo shows the same path, step by step",
  });
}
