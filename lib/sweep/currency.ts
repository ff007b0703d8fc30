import { messageOf } from "../errors.ts";
import { hasOwnValues, inPolicysCurrency } from "../policy/money.ts";
import type { Policy } from "../policy/policy.ts";
import { describeFailure, isRefusal } from "../twilio/failures.ts";
import { readUsageToday } from "../twilio/usage-records.ts";
import type { Known } from "./known.ts";
import type { SweptAccount } from "./shard.ts";
import { REQUEST_TIMEOUT_MS, type Sweeper, type Turn } from "./sweeper.ts";

/** What an account was found to be billed in. */
export interface CurrencyCheck {
  /** ISO 4217, upper case; null when its usage did not tell. */
  is: string | null;
  /** The policy's by then. */
  against: string;
  /** ISO 8601 UTC. */
  at: string;
}

export type CurrencyAnswer =
  /** By what is remembered, or by a policy that names none. */
  | { kind: "no-question" }
  | { kind: "checked"; check: CurrencyCheck }
  /** The next sweep asks again. */
  | { kind: "unread"; why: string };

/**
 * Asks Twilio what an account is billed in, where it matters and is not remembered: one request, once for each account.
 * To Twilio a limit of 100 is 100 of whatever that is.
 */
export async function checkCurrency(
  { policy, clock, log }: Pick<Sweeper, "policy" | "clock" | "log">,
  { accountSid }: SweptAccount,
  known: Known,
  { twilio }: Pick<Turn, "twilio">,
): Promise<CurrencyAnswer> {
  const { currency: against } = policy;
  if (against === null || !isQuestion(accountSid, against, policy, known)) return { kind: "no-question" };
  const answer = await readUsageToday(twilio, accountSid, "totalprice", REQUEST_TIMEOUT_MS);
  const at = clock.now().toISOString();
  if (answer.kind === "ok") return { kind: "checked", check: { is: answer.body?.currency ?? null, against, at } };
  const why = `its currency could not be read: ${describeFailure(answer.failure)}`;
  log.warn("currency-not-read", { accountSid, reason: why });
  // Asked again it would say the same: an account that nothing watches is worse than one of a currency that nobody knows.
  return isRefusal(answer.failure) ? { kind: "checked", check: { is: null, against, at } } : { kind: "unread", why };
}

function isQuestion(accountSid: string, against: string, policy: Policy, { currency, memory }: Known): boolean {
  if (inPolicysCurrency(policy, accountSid).length === 0) return false;
  if (currency === null || currency.against !== against) return true;
  // It may tell more once something is spent; asked with each sweep, an account that never spends would cost double.
  return currency.is === null && memory !== undefined && memory.spentAt !== null && memory.spentAt > currency.at;
}

/** Pure. What an account is billed in where that is not the policy's currency; null where it is, or nobody knows. */
function otherCurrency({ currency: ours }: Policy, { currency }: Pick<Known, "currency">): string | null {
  if (ours === null || currency === null || currency.is === ours) return null;
  return currency.is;
}

/**
 * Pure. Limits, rates and spikes by name that would mean other money to an account than the policy says, and so are not
 * for it.
 */
export function limitsInOtherMoney(
  accountSid: string,
  policy: Policy,
  known: Pick<Known, "currency">,
): ReadonlySet<string> {
  return new Set(otherCurrency(policy, known) === null ? [] : inPolicysCurrency(policy, accountSid));
}

/** Pure. Whether somebody should give the account values of its own. Without them its spend is not watched. */
export function lacksOwnValues(accountSid: string, policy: Policy, known: Pick<Known, "currency">): boolean {
  return otherCurrency(policy, known) !== null && !hasOwnValues(policy, accountSid);
}

/** Only after they were reported: what was never reported has been told to nobody. */
export async function noteCurrencies(
  { memory, log }: Pick<Sweeper, "memory" | "log">,
  checks: readonly { accountSid: string; check: CurrencyCheck }[],
): Promise<void> {
  try {
    for (const { accountSid, check } of checks) await memory.noteCurrency(accountSid, check);
  } catch (error) {
    // The next sweep asks again, then, and tells it again.
    log.warn("currency-not-noted", { reason: messageOf(error) });
  }
}
