import type { Limit, Policy, SpendRule } from "../../policy/policy.ts";

/** A rule as it holds for one account, and the limit whose samples it judges. */
export interface AccountRule {
  name: string;
  rule: SpendRule;
  /** The name of a limit of the policy with the same category and `by`. */
  limit: string;
}

/** What the sweep watches of an account, in the order of the policy; with the account's own values. */
export function spendRulesFor(accountSid: string, policy: Policy): AccountRule[] {
  return Object.entries(policy.rates).flatMap(([name, rule]) => {
    const limit = limitBehind(rule, policy);
    return limit === undefined ? [] : [{ name, rule: withOwnValue(accountSid, name, rule, policy), limit }];
  });
}

// Any of them shows what is spent. Last comes `once`: Twilio does not say whether such a trigger counts on once it fired.
const FINEST_FIRST: readonly Limit["every"][] = ["day", "month", "year", "once"];

/** A checked policy has one for each rule. */
function limitBehind({ category, by }: SpendRule, { limits }: Policy): string | undefined {
  const same = Object.entries(limits).filter(([, limit]) => limit.category === category && limit.by === by);
  const order = ([, { every }]: [string, Limit]) => FINEST_FIRST.indexOf(every);
  return same.sort((one, other) => order(one) - order(other))[0]?.[0];
}

function withOwnValue(accountSid: string, name: string, rule: SpendRule, { accounts }: Policy): SpendRule {
  const own = Object.hasOwn(accounts, accountSid) ? accounts[accountSid] : undefined;
  const at = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  return rule.kind === "rate" && at !== undefined ? { ...rule, at } : rule;
}
