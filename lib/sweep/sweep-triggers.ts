import { messageOf } from "../errors.ts";
import { firingOf } from "../incidents/firing.ts";
import { newsSince } from "../policy/first-moment.ts";
import { firedTriggers } from "../triggers/lost-firings.ts";
import { mostUrgent } from "../triggers/most-urgent.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { tallyOf } from "./account-tally.ts";
import { type CurrencyAnswer, checkCurrency } from "./currency.ts";
import { judgeAccount, judgeCreated } from "./judge-account.ts";
import { keepNews } from "./keep-news.ts";
import { needsRepair, planRepairs, type Repairing } from "./plan-repairs.ts";
import { putAll } from "./put-signals.ts";
import { NO_WORK, type Repair, repairAccount } from "./repair-account.ts";
import { repeatedDrift } from "./repeated-drift.ts";
import { firedBeforeUs, knowingBefore, limitsReached, spentBeforeUs } from "./spent-before-us.ts";
import type { Sweeper, Turn } from "./sweeper.ts";
import type { Read } from "./swept.ts";
import type { Tally } from "./tally.ts";
import { tellOfOthers } from "./tell-of-others.ts";
import { lacksCount } from "./unguarded-limits.ts";

/** What the one reading of an account's triggers gives: judge ─ say what happened ─ repair ─ keep what is new. */
export async function sweepTriggers(sweeper: Sweeper, recalled: Read, turn: Turn): Promise<Tally> {
  const { policy, publicUrl, clock } = sweeper;
  const { account, triggers } = recalled;
  const { accountSid } = account;
  const law = { policy, publicUrl, now: clock.now() };
  const handled = await handledFirings(sweeper, recalled, turn, law.now);
  const before = spentBeforeUs({ ...recalled, handled }, law, turn.firstMoment);
  const news = before === undefined ? recalled.known : knowingBefore(recalled.known, before);
  const judged = judgeAccount(
    { ...recalled, known: news, handled },
    { ...law, since: newsSince(turn.firstMoment, law.now) },
  );
  // Before anything else: it may be spending.
  await putAll(sweeper, mostUrgent([...judged.lost, ...judged.over], policy, law.now));
  // Before its guards: whoever goes on from here has to know why they are there.
  if (before !== undefined) await sweeper.memory.noteBefore(accountSid, before);
  const currency = await checkCurrency(sweeper, account, news, turn);
  const known = currency.kind === "checked" ? { ...news, currency: currency.check } : news;
  const read = { ...recalled, known };
  const repairing = { accountSid, status: account.status, known, handled, ...law };
  const findings = currency.kind === "checked" ? { ...judged, plan: planRepairs(triggers, repairing) } : judged;
  const repair = needsRepair(findings.plan) ? await repairKnowing(sweeper, repairing, currency, turn) : undefined;
  await askToCount(sweeper, triggers, repairing, turn);
  const { renewed, shown } = repair === undefined || repair.kind === "busy" ? NO_WORK : repair;
  const after = judgeCreated(read, shown, law);
  // What a new account gets is no repair.
  const anew = known.memory === undefined ? [] : renewed;
  const occasion = { sweepId: turn.sweepId, now: law.now };
  const { drift, repeated } = repeatedDrift(known.memory?.drift ?? null, anew, occasion);
  const others = await tellOfOthers(sweeper, read, { renewed: anew, repeated }, law.now);
  const kept = await keepNews(sweeper, read, { findings, repair, after, drift }, turn, law.now);
  const isSeenFirst = turn.isFirst && (known.memory === undefined || known.memory.firstSeenIn === turn.sweepId);
  const overBefore =
    account.status === "active" && (before !== undefined || isSeenFirst)
      ? limitsReached(accountSid, [...triggers, ...shown], policy)
      : [];
  return tallyOf(
    sweeper.policy,
    read,
    { findings, repair, after, ...kept, repeated, currency, overBefore, others },
    { ...turn, now: law.now },
  );
}

/** One round trip, and only for an account of which something fired in this period. */
async function handledFirings(sweeper: Sweeper, { account, known, triggers }: Read, turn: Turn, now: Date) {
  const { accountSid } = account;
  const { publicUrl } = sweeper;
  const { lastReactivatedAt } = known;
  const situation = { accountSid, publicUrl, lastReactivatedAt, now };
  // Those whose webhook may be on its way as well: what was dealt with leaves its limit unguarded.
  const lately = firedTriggers(triggers, situation, 0);
  const fired = new Set([...lately, ...firedBeforeUs(triggers, known, { publicUrl, now }, turn.firstMoment)]);
  const firings = [...fired].map((trigger) => firingOf(trigger.sid, trigger));
  return firings.length === 0 ? new Map<string, string>() : sweeper.memory.firedAt(accountSid, firings, turn.until);
}

/** The responder keeps what each guard counts from, and makes what could not be made here. */
async function askToCount(
  { inbox, log }: Sweeper,
  triggers: readonly UsageTrigger[],
  repairing: Repairing,
  { listedAt }: Turn,
): Promise<void> {
  if (!lacksCount(triggers, repairing)) return;
  const { accountSid, now } = repairing;
  try {
    const id = `guard:${accountSid}:${listedAt}`;
    await inbox.put({ kind: "guard", id, accountSid, receivedAt: now.toISOString() });
  } catch (error) {
    log.warn("guard-not-asked-for", { accountSid, reason: messageOf(error) });
  }
}

/** A new account waits for what it is billed in; one that was armed before is worth more with its triggers than without. */
async function repairKnowing(
  sweeper: Sweeper,
  repairing: Repairing,
  currency: CurrencyAnswer,
  turn: Turn,
): Promise<Repair> {
  if (currency.kind !== "unread" || repairing.known.memory !== undefined)
    return repairAccount(sweeper, repairing, turn);
  return { kind: "failed", why: currency.why, isRefused: false, ...NO_WORK };
}
