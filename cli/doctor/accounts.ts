import type { Policy } from "../../lib/policy/policy.ts";
import type { Account } from "../../lib/twilio/accounts.ts";
import { accounts as many } from "../brake-text.ts";
import { type Currency, currencyGroups, groupsInWords } from "../triggers/check-currencies.ts";
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

/** Pure. A limit's value is a number without a currency. */
export function checkCurrencies(policy: Policy, currencies: readonly Currency[]): Finding[] {
  const about = "currency";
  const unread = currencies.filter(({ kind }) => kind === "unread");
  const groups = currencyGroups(policy, currencies, () => false);
  const mend = "give the others values of their own for each limit on money, in the policy's `accounts`";
  const found =
    groups.length > 1
      ? wrong(about, `the accounts are billed in different ones: ${groupsInWords(groups)}`, mend)
      : good(about, groups.length === 0 ? "nothing was used yet that would tell it" : groupsInWords(groups));
  if (unread.length === 0) return [found];
  return [found, warn(about, `the usage of ${many(unread.length)} could not be read`, "run this again")];
}
