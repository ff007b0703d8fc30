import type { Policy } from "../../lib/policy/policy.ts";
import type { Account } from "../../lib/twilio/accounts.ts";
import { accounts as many } from "../brake-text.ts";
import {
  accountsInWords,
  type Currency,
  type CurrencyGroup,
  currencyGroups,
  groupsInWords,
  otherGroups,
} from "../triggers/check-currencies.ts";
import { type Finding, good, warn, wrong } from "./finding.ts";

/** Pure. Whether each account's webhooks can be verified. */
export function checkTokens(accounts: readonly Account[]): Finding[] {
  const live = accounts.filter(({ status }) => status !== "closed");
  const count = (wanted: Account["status"]) => accounts.filter(({ status }) => status === wanted).length;
  const seen = `${count("active")} active, ${count("suspended")} suspended, ${count("closed")} closed`;
  const hidden = live.filter(({ authToken }) => authToken === undefined).length;
  const about = "subaccounts";
  if (live.length === 0)
    return [warn(about, `${seen}: there is nothing to watch`, "create one, or check TWILIO_ACCOUNT_SID")];
  if (hidden === 0) return [good(about, `${seen}; each one's auth token can be read`)];
  const mend = "use the parent's auth token: to an API key Twilio does not show those of subaccounts";
  return [wrong(about, `${seen}; the auth token of ${hidden} is hidden, so their webhooks can't be verified`, mend)];
}

/** Pure. To Twilio a limit's value is a number, read in the account's own currency. */
export function checkCurrencies(policy: Policy, currencies: readonly Currency[]): Finding[] {
  const count = (wanted: Currency["kind"]) => currencies.filter(({ kind }) => kind === wanted).length;
  const groups = currencyGroups(policy, currencies, () => false);
  const others = otherGroups(policy, groups);
  const found = others.length > 0 ? otherCurrencies(policy, groups) : good(ABOUT, inOrder(groups, count("none")));
  if (count("unread") === 0) return [found];
  return [found, warn(ABOUT, `the usage of ${many(count("unread"))} could not be read`, "run this again")];
}

const ABOUT = "currency";

function inOrder(groups: readonly CurrencyGroup[], untold: number): string {
  if (groups.length === 0) return "nothing was used yet that would tell it";
  return untold === 0 ? groupsInWords(groups) : `${groupsInWords(groups)}; ${many(untold)} used nothing yet`;
}

function otherCurrencies(policy: Policy, groups: readonly CurrencyGroup[]): Finding {
  const { currency } = policy;
  const mend = "give the others values of their own for each limit on money, in the policy's `accounts`";
  if (currency === null) {
    return wrong(ABOUT, `the accounts are billed in different ones: ${groupsInWords(groups)}`, mend);
  }
  const odd = accountsInWords(otherGroups(policy, groups));
  const rest = odd.length > MOST_NAMED ? `, and ${odd.length - MOST_NAMED} more` : "";
  const named = odd.slice(0, MOST_NAMED).join(", ") + rest;
  return wrong(
    ABOUT,
    `the policy is in ${currency}, and the accounts are ${groupsInWords(groups)}: ${named}`,
    `${mend}; or correct its \`currency\``,
  );
}

const MOST_NAMED = 5;
