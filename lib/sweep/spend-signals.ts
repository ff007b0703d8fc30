import type { SpendRuleSignal } from "../inbox/messages.ts";
import { occasionOf } from "../policy/period.ts";
import type { Policy, Rate, SpendRule } from "../policy/policy.ts";
import { countedSince } from "../policy/raise.ts";
import { limitsInOtherMoney } from "./currency.ts";
import { isContained, type Known } from "./known.ts";
import { judgingPolicyFor } from "./policy-for.ts";
import { type AccountRule, spendRulesFor } from "./spend-rules/for-account.ts";
import { judgeSpend } from "./spend-rules/judge-spend.ts";
import { type Sample, spendSamples } from "./spend-sample.ts";

const HOUR_MS = 3600_000;

/** How far back the rules of the policy look; null when there are none. Milliseconds. */
export function lookBackOf({ rates }: Policy): number | null {
  const rules = Object.values(rates);
  if (rules.length === 0) return null;
  return Math.max(...rules.map((rule) => (rule.kind === "spike" ? rule.over : 0))) + 2 * HOUR_MS;
}

/** Pure. Whether anything can trip: the samples need not be read for an account that spent nothing within the hour. */
export function isSpending(spentAt: string | null, known: Known, now: Date): boolean {
  return spentAt !== null && Date.parse(spentAt) > now.getTime() - HOUR_MS && !isContained(known);
}

/** Pure. A signal for each rule that an account trips: one in an hour, and another one after a reactivation. */
export function spendSignals(
  accountSid: string,
  samples: readonly Sample[],
  { policy, known, now }: { policy: Policy; known: Known; now: Date },
): SpendRuleSignal[] {
  const { lastReactivatedAt } = known;
  const other = limitsInOtherMoney(accountSid, policy, known);
  const inForce = judgingPolicyFor(accountSid, policy, known, now);
  const rules = spendRulesFor(accountSid, inForce).filter(({ name }) => !other.has(name));
  return rules.flatMap((rule) => {
    const judged = judge(rule, samples, { policy, since: newsSince(rule, { policy, known, now }), now });
    return judged === undefined ? [] : [signalOf(accountSid, rule, judged, { lastReactivatedAt, now })];
  });
}

type Tripped = Extract<ReturnType<typeof judgeSpend>, { kind: "tripped" }>;

/** Since when what is spent is news, ISO 8601 UTC: the account came back, or its raised rate is the policy's again. */
function newsSince(
  { name }: AccountRule,
  { policy, known, now }: { policy: Policy; known: Known; now: Date },
): string | undefined {
  const times = [known.lastReactivatedAt, countedSince(known.raises, name, policy, now)];
  return times
    .filter((time) => time != null)
    .sort()
    .at(-1);
}

function judge(
  { rule, limit }: AccountRule,
  samples: readonly Sample[],
  { policy, since, now }: { policy: Policy; since: string | undefined; now: Date },
): Tripped | undefined {
  const shown = policy.limits[limit];
  if (shown === undefined) return undefined;
  const all = spendSamples(samples, shown);
  const judged = judgeSpend(rule, all, now);
  if (judged.kind !== "tripped") return undefined;
  if (since === undefined || Date.parse(since) < now.getTime() - HOUR_MS) return judged;
  // What was spent before it is old news: what was spent since must be enough by itself.
  const spentSince = all.filter(({ at }) => at >= since);
  return judgeSpend(leastOf(rule), spentSince, now).kind === "tripped" ? judged : undefined;
}

function leastOf(rule: SpendRule): Rate {
  if (rule.kind === "rate") return rule;
  const { category, by, atLeast, then } = rule;
  return { kind: "rate", category, by, at: atLeast, then };
}

function signalOf(
  accountSid: string,
  { name, rule }: AccountRule,
  tripped: Tripped,
  { lastReactivatedAt, now }: { lastReactivatedAt: string | null; now: Date },
): SpendRuleSignal {
  const at = now.toISOString();
  return {
    kind: "spend-rule",
    id: `spend:${name}:${occasionOf(at.slice(0, "2026-10-04T12".length), lastReactivatedAt)}`,
    accountSid,
    receivedAt: at,
    rule: name,
    usageCategory: rule.category,
    triggerBy: rule.by,
    thisHour: tripped.thisHour,
    usual: tripped.usual,
    why: tripped.why,
  };
}
