import { moneyLimits } from "../../lib/policy/money.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { isNothing } from "../../lib/triggers/plan.ts";
import { EXIT, Failure } from "../failure.ts";
import { raisesBeside } from "../raise-view.ts";
import type { Environment } from "../server.ts";
import { printableJson, type Terminal } from "../terminal.ts";
import { findTwilio, policyOf, type TwilioAccess } from "../twilio-access.ts";
import { type Change, changesOf, countKinds, type Summary } from "./changes.ts";
import { type CurrencyGroup, currencyGroups, groupsInWords, otherGroups, readCurrencies } from "./check-currencies.ts";
import { tellOfOthers } from "./others.ts";
import { planText } from "./plan-text.ts";
import { type Survey, type Surveyed, survey, type Unread } from "./survey.ts";

export interface PlanOptions {
  /** Exit code 9 where something is to be done. */
  check?: true;
  json?: true;
}

/**
 * `triggers plan`: what `apply` would do, by the policy and what Twilio lists. Changes nothing.
 * @throws Failure when an account could not be read; and, with `check`, when something is to be done.
 */
export async function planCommand(options: PlanOptions, environment: Environment, terminal: Terminal): Promise<void> {
  const access = await findTwilio(environment);
  const policy = policyOf(access);
  const found = await survey(access, policy, terminal, { raises: await raisesBeside(environment, terminal) });
  const view = planView(found);
  const groups = await currenciesOf(access, policy, found, terminal);
  const currencies = groups.map(({ currency, accounts }) => ({ currency, accounts: accounts.length }));
  if (options.json) terminal.print(printableJson({ ...view, currencies }));
  else terminal.print(planText(view, terminal.paint));
  tellOfOthers(found, terminal);
  if (otherGroups(policy, groups).length > 0) terminal.tell(`Note: ${othersInWords(policy, groups)}`);
  if (view.summary.unread > 0) throw notAllRead(found.unread);
  if (options.check && isDrifted(view.summary)) throw drifted();
}

/** One request for each account, and only when there is something to be applied. */
async function currenciesOf(
  access: TwilioAccess,
  policy: Policy,
  { surveyed }: Survey,
  terminal: Terminal,
): Promise<CurrencyGroup[]> {
  if (!surveyed.some(needsWork) || moneyLimits(policy).length === 0) return [];
  const accounts = surveyed.map(({ account }) => account);
  return currencyGroups(policy, await readCurrencies(access, accounts, terminal), () => false);
}

function othersInWords({ currency }: Policy, groups: readonly CurrencyGroup[]): string {
  const what =
    currency === null
      ? "the accounts are billed in different currencies"
      : `not every account is billed in ${currency}, the policy's currency`;
  return `${what} (${groupsInWords(groups)}): apply refuses unless told otherwise, docs/triggers.md.`;
}

export interface PlanView {
  /** Only those about which something is to be done. */
  accounts: {
    accountSid: string;
    friendlyName: string;
    status: string;
    changes: Change[];
    /** Why it can't be done; null when it can. */
    problem: string | null;
  }[];
  unread: { accountSid: string; friendlyName: string; why: string }[];
  summary: Summary;
}

export function planView({ surveyed, unread }: Survey): PlanView {
  const concerned = surveyed.filter(needsWork);
  const accounts = concerned.map((one) => ({
    accountSid: one.account.sid,
    friendlyName: one.account.friendlyName,
    status: one.account.status,
    changes: changesOf(one),
    problem: one.plan.problem ?? null,
  }));
  return {
    accounts,
    unread: unread.map(({ account, why }) => ({ accountSid: account.sid, friendlyName: account.friendlyName, why })),
    summary: {
      accounts: surveyed.length + unread.length,
      inOrder: surveyed.filter((one) => !needsWork(one)).length,
      ...countKinds(accounts.flatMap(({ changes }) => changes)),
      problems: accounts.filter(({ problem }) => problem !== null).length,
      unread: unread.length,
    },
  };
}

export function needsWork({ plan }: Surveyed): boolean {
  return !isNothing(plan) || plan.problem !== undefined;
}

function isDrifted({ accounts, inOrder }: Summary): boolean {
  return inOrder < accounts;
}

function drifted(): Failure {
  return new Failure(EXIT.drift, "triggers-drifted", "Not every account carries what the policy wants.", {
    fix: "`tollbreaker triggers apply` brings them in order",
  });
}

export function notAllRead(unread: readonly Unread[]): Failure {
  const some = unread.length === 1 ? "1 account" : `${unread.length} accounts`;
  return new Failure(EXIT.failed, "accounts-unread", `The triggers of ${some} could not be read.`, {
    fix: "try again; the others are as shown",
    notes: unread.slice(0, 20).map(({ account, why }) => `${account.sid}: ${why}`),
  });
}
