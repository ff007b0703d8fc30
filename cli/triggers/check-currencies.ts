import { hasOwnValues, moneyLimits } from "../../lib/policy/money.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { describeFailure } from "../../lib/twilio/failures.ts";
import { readUsageToday } from "../../lib/twilio/usage-records.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import type { TwilioAccess } from "../twilio-access.ts";
import { eachAccount, type Surveyed } from "./survey.ts";

type Account = Surveyed["account"];

/** What an account is billed in, by its Usage Records: ISO 4217, upper case. */
export type Currency =
  | { kind: "known"; account: Account; currency: string; spentToday: string | null }
  /** It has used nothing yet. */
  | { kind: "none"; account: Account }
  | { kind: "unread"; account: Account; why: string };

const REQUEST_TIMEOUT_MS = 10_000;

/** One request for each account. */
export async function readCurrencies(
  { twilio }: TwilioAccess,
  accounts: readonly Account[],
  terminal: Pick<Terminal, "status">,
): Promise<Currency[]> {
  return eachAccount(accounts, { what: "Reading currencies", terminal }, async (account): Promise<Currency> => {
    const answer = await readUsageToday(twilio, account.sid, "totalprice", REQUEST_TIMEOUT_MS);
    if (answer.kind === "failed") return { kind: "unread", account, why: describeFailure(answer.failure) };
    const currency = answer.body?.currency ?? null;
    if (currency === null) return { kind: "none", account };
    return { kind: "known", account, currency, spentToday: answer.body?.price ?? null };
  });
}

/** Accounts that are billed in the same currency. */
export interface CurrencyGroup {
  currency: string;
  accounts: Account[];
}

/**
 * Pure. To Twilio a limit's value is a number, "in the currency associated with the account": so all accounts have to share
 * one, the policy's if it names one. Those that have a value of their own for each limit on money are meant as they are, and
 * those that somebody said are all right.
 * @returns the groups, the largest first
 */
export function currencyGroups(
  policy: Policy,
  currencies: readonly Currency[],
  isAllRight: (accountSid: string) => boolean,
): CurrencyGroup[] {
  const groups = new Map<string, Account[]>();
  for (const one of currencies) {
    if (one.kind !== "known" || hasOwnValues(policy, one.account.sid) || isAllRight(one.account.sid)) continue;
    groups.set(one.currency, [...(groups.get(one.currency) ?? []), one.account]);
  }
  return [...groups]
    .map(([currency, accounts]) => ({ currency, accounts }))
    .toSorted((one, other) => other.accounts.length - one.accounts.length);
}

/** Pure. Those of `currencyGroups` on which a limit would mean other money than it should; none is as it should be. */
export function otherGroups({ currency }: Policy, groups: readonly CurrencyGroup[]): readonly CurrencyGroup[] {
  return currency === null ? groups.slice(1) : groups.filter((group) => group.currency !== currency);
}

/** `2 in USD, 1 in EUR`. */
export function groupsInWords(groups: readonly CurrencyGroup[]): string {
  return groups.map(({ currency, accounts }) => `${accounts.length} in ${currency}`).join(", ");
}

/** `AC... (Paris): EUR`, each. */
export function accountsInWords(groups: readonly CurrencyGroup[]): string[] {
  return groups.flatMap(({ currency, accounts }) =>
    accounts.map(({ sid, friendlyName }) => `${sid} (${friendlyName}): ${currency}`),
  );
}

/** @throws Failure `currencies-differ` */
export function refuseOtherCurrencies(
  policy: Policy,
  currencies: readonly Currency[],
  currencyOk: readonly string[],
): void {
  const groups = currencyGroups(policy, currencies, (sid) => currencyOk.includes(sid));
  const others = otherGroups(policy, groups);
  if (others.length === 0) return;
  const { message, ...rest } = policy.currency === null ? mixed(policy) : notThePolicys(policy, policy.currency);
  const notes = accountsInWords(others).slice(0, 20);
  throw new Failure(EXIT.refused, "currencies-differ", message, { ...rest, got: groupsInWords(groups), notes });
}

function mixed(policy: Policy) {
  return {
    message: "The accounts are billed in different currencies.",
    expected: `one currency, because a limit's value is a number without one: ${moneyLimits(policy).join(", ")}`,
    fix: "give those below values of their own in the policy's `accounts`, or say with --currency-ok AC... that the numbers are right for them as they are",
  };
}

function notThePolicys(policy: Policy, currency: string) {
  return {
    message: `Not every account is billed in ${currency}, the policy's currency.`,
    expected: `${currency}, because Twilio would read these limits as other money: ${moneyLimits(policy).join(", ")}`,
    fix: "give those below values of their own in the policy's `accounts`, in their own currency; or correct the policy's `currency`",
  };
}
