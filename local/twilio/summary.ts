import { today } from "./gmt.ts";
import { unitsOf } from "./money.ts";
import { type Account, type AccountStatus, liveCalls, type World } from "./state.ts";
import { TOTAL_PRICE, usageOf } from "./usage.ts";

/** One account at a glance. The tokens are in it because this Twilio is simulated. */
export interface AccountSummary {
  accountSid: string;
  authToken: string;
  /** Null while there is none. */
  secondaryAuthToken: string | null;
  friendlyName: string;
  status: AccountStatus;
  suspendedByTwilio: boolean;
  /** ISO 4217, lower case. */
  currency: string;
  /** The total price of the running GMT day, in `currency`. */
  spentToday: number;
  /** Queued, ringing and in-progress calls. */
  liveCalls: number;
  triggers: number;
  /** Attempts that were refused because the account was not active. */
  refused: { messages: number; calls: number };
}

export function summaryOf(world: World, account: Account): AccountSummary {
  return {
    accountSid: account.sid,
    authToken: account.authToken,
    secondaryAuthToken: account.secondaryAuthToken?.token ?? null,
    friendlyName: account.friendlyName,
    status: account.status,
    suspendedByTwilio: account.suspendedByTwilio,
    currency: account.currency,
    spentToday: unitsOf(usageOf(account.ledger, TOTAL_PRICE, today(world.clock.now())).price),
    liveCalls: liveCalls(account).length,
    triggers: account.triggers.size,
    refused: { ...account.refused },
  };
}
