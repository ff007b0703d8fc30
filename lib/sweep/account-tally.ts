import type { Policy } from "../policy/policy.ts";
import { isNothing } from "../triggers/plan.ts";
import { type CurrencyAnswer, lacksOwnValues } from "./currency.ts";
import { isUntold } from "./refusals.ts";
import type { Repair, RepairWork } from "./repair-account.ts";
import type { SweptAccount } from "./shard.ts";
import type { Turn } from "./sweeper.ts";
import type { Read, Swept } from "./swept.ts";
import { type Counts, type Names, NO_NAMES, nameOf, type Tally } from "./tally.ts";
import type { OthersFound } from "./tell-of-others.ts";

/** What of one account counts, and what people are told by name. Pure. */
export function tallyOf(
  policy: Policy,
  { account, known }: Read,
  swept: Swept & {
    spend: number;
    isKept: boolean;
    repeated: readonly string[];
    currency: CurrencyAnswer;
    /** Suspending limits that were reached before we watched, for a person. */
    overBefore: readonly string[];
    others: OthersFound;
  },
  { sweepId, now }: Turn & { now: Date },
): Tally {
  const { findings, repair, after, spend, isKept, repeated, currency, overBefore, others } = swept;
  const { lost, plan } = findings;
  const over = [...findings.over, ...after.over];
  const carriesAll = repair === undefined ? plan.create.length === 0 : repair.kind === "repaired";
  const isArmed = carriesAll && plan.withheld.length === 0;
  // In this same sweep, by a worker that did not live to say so, counts as well.
  const isNew = known.memory === undefined || known.memory.firstSeenIn === sweepId;
  const hasDrifted = known.memory?.repairedIn === sweepId || (repair !== undefined && !isNothing(plan));
  const isRepaired = hasDrifted && (repair === undefined || repair.kind === "repaired");
  const isQuiet =
    isArmed && account.status === "active" && known.open === undefined && lost.length + over.length + spend === 0;
  // Of a suspended account nobody need care: it spends nothing, and is armed when it comes back.
  const isRefused = repair?.kind === "failed" && repair.isRefused && account.status === "active";
  const isNewlyRefused = isRefused && isUntold(known, now);
  const counts: Partial<Counts> = {
    ...presenceOf(account),
    unread: one(!isKept || (repair?.kind === "failed" && !repair.isRefused)),
    armed: one(isArmed),
    quiet: one(isQuiet),
    arrived: one(isNew && repair?.kind !== "failed" && repair?.kind !== "busy"),
    drifted: one(!isNew && isRepaired && !others.isAny),
    refused: one(isRefused),
    newlyRefused: one(isNewlyRefused),
    repeated: one(repeated.length > 0 && !others.isAny),
    otherCurrency: one(currency.kind === "checked" && lacksOwnValues(account.accountSid, policy, known)),
    otherTollbreaker: one(others.told.length > 0),
    overBefore: one(overBefore.length > 0),
    ...(repair !== undefined &&
      repair.kind !== "busy" && {
        createdAnew: isNew ? repair.created : 0,
        created: repair.created,
        updated: repair.updated,
        removed: repair.removed,
      }),
    ...{ lost: lost.length, over: over.length, spend },
  };
  const refusedSids = isNewlyRefused ? [account.accountSid] : [];
  const currencies = currency.kind === "checked" ? [{ accountSid: account.accountSid, check: currency.check }] : [];
  const names = namesOf(account, { repair, repeated, currency, overBefore, others }, counts);
  return { counts, names, refusedSids, currencies };
}

const one = (holds: boolean): number => (holds ? 1 : 0);

function namesOf(
  account: SweptAccount,
  {
    repair,
    repeated,
    currency,
    overBefore,
    others,
  }: {
    repair: Repair | undefined;
    repeated: readonly string[];
    currency: CurrencyAnswer;
    overBefore: readonly string[];
    others: OthersFound;
  },
  counts: Partial<Counts>,
): Names {
  const name = nameOf(account);
  const what = repair === undefined || repair.kind === "busy" ? "" : inWords(repair);
  const done = what === "" ? "" : ` (done: ${what})`;
  return {
    ...NO_NAMES,
    otherTollbreaker: others.told.length > 0 ? [`${name}: ${others.told.join(", ")}${done}`] : [],
    overBefore: overBefore.length > 0 ? [`${name}: ${overBefore.join(", ")}`] : [],
    arrived: counts.arrived === 1 ? [name] : [],
    drifted: counts.drifted === 1 ? [what === "" ? name : `${name}: ${what}`] : [],
    refused: counts.newlyRefused === 1 && repair?.kind === "failed" ? [`${name}: ${repair.why}${done}`] : [],
    repeated: counts.repeated === 1 ? [`${name}: ${repeated.join(", ")}`] : [],
    otherCurrency:
      counts.otherCurrency === 1 && currency.kind === "checked"
        ? [`${name}: in ${currency.check.is}, and the policy in ${currency.check.against}`]
        : [],
  };
}

function inWords({ created, updated, removed }: RepairWork): string {
  const parts = [
    created > 0 ? `${created} created` : "",
    updated > 0 ? `${updated} made to call us again` : "",
    removed > 0 ? `${removed} removed` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** That it was looked at. */
export function presenceOf({ status, watchOnly }: SweptAccount): Partial<Counts> {
  return watchOnly ? {} : { accounts: 1, suspended: one(status === "suspended") };
}
