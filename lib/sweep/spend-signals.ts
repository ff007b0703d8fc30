import type { SpendRuleSignal } from "../inbox/messages.ts";
import { occasionOf } from "../policy/period.ts";
import type { Policy, Rate, SpendRule } from "../policy/policy.ts";
import { limitsInOtherMoney } from "./currency.ts";
import { isContained, type Known } from "./known.ts";
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
  const rules = spendRulesFor(accountSid, policy).filter(({ name }) => !other.has(name));
  return rules.flatMap((rule) => {
    const judged = judge(rule, samples, { policy, lastReactivatedAt, now });
    return judged === undefined ? [] : [signalOf(accountSid, rule, judged, { lastReactivatedAt, now })];
  });
}

type Tripped = Extract<ReturnType<typeof judgeSpend>, { kind: "tripped" }>;

function judge(
  { rule, limit }: AccountRule,
  samples: readonly Sample[],
  { policy, lastReactivatedAt, now }: { policy: Policy; lastReactivatedAt: string | null; now: Date },
): Tripped | undefined {
  const shown = policy.limits[limit];
  if (shown === undefined) return undefined;
  const all = spendSamples(samples, shown);
  const judged = judgeSpend(rule, all, now);
  if (judged.kind !== "tripped") return undefined;
  if (lastReactivatedAt === null || Date.parse(lastReactivatedAt) < now.getTime() - HOUR_MS) return judged;
  // What was spent before it came back is old news: what was spent since must be enough by itself.
  const since = all.filter(({ at }) => at >= lastReactivatedAt);
  return judgeSpend(leastOf(rule), since, now).kind === "tripped" ? judged : undefined;
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
