import pLimit from "p-limit";
import { systemClock as clock } from "../../lib/clock.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { type Raises, raisedPolicy } from "../../lib/policy/raise.ts";
import { isGuard } from "../../lib/triggers/guards.ts";
import { otherTollbreaker, otherTollbreakers, withoutOthers } from "../../lib/triggers/other-tollbreaker.ts";
import { planTriggers, type TriggerPlan } from "../../lib/triggers/plan.ts";
import { type SpentLimit, spentLimits } from "../../lib/triggers/spent-limits.ts";
import { type WantedTrigger, wantedTriggers } from "../../lib/triggers/wanted.ts";
import type { Account, SetAside } from "../../lib/twilio/accounts.ts";
import { describeFailure } from "../../lib/twilio/failures.ts";
import { listUsageTriggers, type UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { progressBar } from "../progress-bar.ts";
import type { RaisesByAccount } from "../raise-view.ts";
import type { Terminal } from "../terminal.ts";
import { listSubaccounts, type TwilioAccess } from "../twilio-access.ts";

/** One subaccount: what it carries, and what it should. */
export interface Surveyed {
  account: Pick<Account, "sid" | "friendlyName" | "status">;
  triggers: readonly UsageTrigger[];
  wanted: readonly WantedTrigger[];
  plan: TriggerPlan;
  /** What is raised of its limits: `wanted` goes by it. */
  raises: Raises;
  /** Limits that suspend and have fired in their period, with what stands for them. */
  spent: readonly SpentLimit[];
  /** Those of `triggers` that are another Tollbreaker's; none where they are to be taken over. */
  theirs: readonly UsageTrigger[];
  /** The public URLs that those call. */
  others: readonly string[];
}

/** An account that Twilio did not tell about. */
export interface Unread {
  account: Surveyed["account"];
  why: string;
}

export interface Survey {
  /** In Twilio's order; closed ones are left out: they have no triggers, and never will. */
  surveyed: readonly Surveyed[];
  unread: readonly Unread[];
}

export interface Surveying extends TakingOver {
  /** What is raised beside the policy. */
  raises?: RaisesByAccount;
}

export interface TakingOver {
  /** Another Tollbreaker's triggers are treated as ours. */
  takeOver?: boolean | undefined;
}

/** Pure. What is to be done about an account. The guards of one that is taken over call nobody of ours: the sweep makes others. */
export function planFor(
  accountSid: string,
  existing: readonly UsageTrigger[],
  wanted: readonly WantedTrigger[],
  { publicUrl, takeOver }: TakingOver & Pick<TwilioAccess, "publicUrl">,
): TriggerPlan {
  const isAnothers = (trigger: UsageTrigger) => otherTollbreaker(trigger, publicUrl) !== undefined;
  if (!takeOver) return planTriggers(accountSid, existing, wanted, isAnothers);
  const plan = planTriggers(accountSid, existing, wanted);
  const guards = existing.filter((trigger) => isGuard(trigger) && isAnothers(trigger));
  return { ...plan, remove: [...plan.remove, ...guards] };
}

const REQUEST_TIMEOUT_MS = 10_000;
/** More than requests at once, so that none of these waits for a slow neighbour. */
const ACCOUNTS_AT_ONCE = 20;

/** Reads every subaccount's triggers once. @throws Failure when the subaccounts can't be listed. */
export async function survey(
  access: TwilioAccess,
  policy: Policy,
  terminal: Pick<Terminal, "status">,
  { raises = new Map(), takeOver = false }: Surveying = {},
): Promise<Survey> {
  const { accounts, setAside } = await listSubaccounts(access);
  const open = accounts.filter(({ status }) => status !== "closed");
  const read = await eachAccount(open, { what: "Reading triggers", terminal }, (account) =>
    surveyAccount(access, policy, account, { raises: raises.get(account.sid) ?? {}, takeOver }),
  );
  return {
    surveyed: read.filter((one) => "plan" in one),
    unread: [...setAside.map(notUnderstood), ...read.filter((one) => "why" in one)],
  };
}

/** It may be active. */
function notUnderstood({ sid, why }: SetAside): Unread {
  return { account: { sid: sid ?? "(no SID)", friendlyName: "", status: "active" }, why };
}

/** Does something for many accounts, so many at once, under a progress bar. In the order of `accounts`. */
export async function eachAccount<A, T>(
  accounts: readonly A[],
  { what, terminal }: { what: string; terminal: Pick<Terminal, "status"> },
  act: (account: A) => Promise<T>,
): Promise<T[]> {
  const limit = pLimit(ACCOUNTS_AT_ONCE);
  const bar = progressBar(terminal, what, accounts.length);
  const step = async (account: A) => {
    const result = await act(account);
    bar.step();
    return result;
  };
  try {
    return await Promise.all(accounts.map((account) => limit(step, account)));
  } finally {
    bar.end();
  }
}

async function surveyAccount(
  { twilio, publicUrl }: TwilioAccess,
  policy: Policy,
  { sid, friendlyName, status }: Account,
  { raises, takeOver }: { raises: Raises; takeOver: boolean },
): Promise<Surveyed | Unread> {
  const account = { sid, friendlyName, status };
  const list = await listUsageTriggers(twilio, sid, REQUEST_TIMEOUT_MS);
  if (list.kind === "failed") return { account, why: describeFailure(list.failure) };
  const now = clock.now();
  const inForce = raisedPolicy(policy, sid, raises, now);
  const wanted = wantedTriggers(inForce, sid, publicUrl);
  const own = withoutOthers(list.body, publicUrl);
  const theirs = takeOver ? [] : list.body.filter((trigger) => !own.includes(trigger));
  const spent = spentLimits(own, { accountSid: sid, policy: inForce, publicUrl, now });
  const plan = planFor(sid, list.body, wanted, { publicUrl, takeOver });
  const others = otherTollbreakers(theirs, publicUrl);
  return { account, triggers: list.body, wanted, plan, raises, spent, theirs, others };
}
