import { systemClock as clock } from "../../lib/clock.ts";
import { moneyLimits } from "../../lib/policy/money.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { bringInOrder, type Ordered, suspendingFirst } from "../../lib/triggers/apply.ts";
import { EXIT, Failure } from "../failure.ts";
import { raisesBeside } from "../raise-view.ts";
import type { Environment } from "../server.ts";
import { printable, printableJson, type Terminal } from "../terminal.ts";
import { findTwilio, policyOf, type TwilioAccess } from "../twilio-access.ts";
import { accountName } from "../wording.ts";
import { checkCallback } from "./check-callback.ts";
import { readCurrencies, refuseOtherCurrencies } from "./check-currencies.ts";
import { tellOfOthers } from "./others.ts";
import { needsWork, planView } from "./plan.ts";
import { planText } from "./plan-text.ts";
import { eachAccount, planFor, type Survey, type Surveyed, survey, type TakingOver } from "./survey.ts";

export interface ApplyOptions {
  /** Also when the policy has no limits, and everything of ours is removed. */
  allowEmpty?: true;
  /** Accounts for which the policy's numbers are right in their own currency. */
  currencyOk?: readonly string[];
  /** Other Tollbreakers' triggers become ours. */
  takeOver?: true;
  json?: true;
}

/** What became of an account that something was to be done about. */
type Outcome = Pick<Surveyed, "account"> & (Ordered | { kind: "not-begun"; why: string });

/**
 * `triggers apply`: read ─ show the plan ─ check the policy, the callback and the currencies ─ bring each account in order ─ say what is
 * not. An account that fails stops no other, and a run that is cut is finished by the next one.
 * @throws Failure when nothing was begun, or not every account is in order.
 */
export async function applyCommand(options: ApplyOptions, environment: Environment, terminal: Terminal): Promise<void> {
  const access = await findTwilio(environment);
  const policy = policyOf(access);
  const raises = await raisesBeside(environment, terminal);
  const found = await survey(access, policy, terminal, { raises, takeOver: options.takeOver });
  if (!options.takeOver) tellOfOthers(found, terminal);
  const due = found.surveyed.filter(needsWork);
  if (due.length > 0 && !options.json) terminal.tell(planText(planView(found), terminal.shade));
  refuseEmpty(policy, found, options);
  const outcomes = due.length === 0 ? [] : await applyAll(access, policy, { found, due }, options, terminal);
  report(found, outcomes, options, terminal);
}

/** A policy that lost its limits must not disarm every account. @throws Failure `policy-empty` */
function refuseEmpty({ limits }: Policy, { surveyed }: Survey, { allowEmpty }: ApplyOptions): void {
  const doomed = surveyed.reduce((sum, { plan }) => sum + plan.remove.length, 0);
  if (Object.keys(limits).length > 0 || doomed === 0 || allowEmpty) return;
  throw new Failure(
    EXIT.refused,
    "policy-empty",
    "The policy has no limits, so every usage trigger would be removed.",
    {
      expected: "limits for Twilio to watch",
      got: `none, and ${doomed} triggers that would go`,
      fix: "check POLICY_FILE; if that is meant, add --allow-empty",
    },
  );
}

interface Work {
  found: Survey;
  due: readonly Surveyed[];
}

async function applyAll(
  access: TwilioAccess,
  policy: Policy,
  { found, due }: Work,
  { currencyOk = [], json, takeOver }: ApplyOptions,
  terminal: Terminal,
): Promise<Outcome[]> {
  const troubles = await currencyTroubles(access, policy, found, currencyOk, terminal);
  await checkCallback(access, sidToRehearse(due), terminal);
  const interrupt = interruptOf(terminal);
  const applyOne = async (one: Surveyed): Promise<Outcome> => {
    const outcome = await outcomeOf({ ...access, policy, takeOver }, one, troubles.get(one.account.sid), interrupt);
    if (!json) terminal.print(lineOf(outcome, terminal));
    return outcome;
  };
  try {
    return await eachAccount(due, { what: "Applying", terminal }, applyOne);
  } finally {
    interrupt.release();
  }
}

/** An active account, so that the rehearsal says what a firing would do. */
function sidToRehearse(due: readonly Surveyed[]): string {
  const accounts = due.map(({ account }) => account);
  return (accounts.find(({ status }) => status === "active") ?? accounts[0])?.sid ?? "";
}

/** The first Ctrl-C lets what was begun be finished, the second one ends at once. */
function interruptOf(terminal: Terminal) {
  const interrupt = { isOver: false, release: () => {} };
  interrupt.release = terminal.onInterrupt(() => {
    interrupt.isOver = true;
    interrupt.release();
    terminal.tell("Finishing the accounts that were begun. Ctrl-C again ends at once.");
  });
  return interrupt;
}

/** Accounts whose currency could not be read, and why; of the others none is in a wrong one. @throws Failure `currencies-differ` */
async function currencyTroubles(
  access: TwilioAccess,
  policy: Policy,
  { surveyed }: Survey,
  currencyOk: readonly string[],
  terminal: Terminal,
): Promise<Map<string, string>> {
  if (moneyLimits(policy).length === 0) return new Map();
  const accounts = surveyed.map(({ account }) => account).filter(({ sid }) => !currencyOk.includes(sid));
  const currencies = await readCurrencies(access, accounts, terminal);
  refuseOtherCurrencies(policy, currencies, currencyOk);
  return new Map(
    currencies.flatMap((one) =>
      one.kind === "unread" ? [[one.account.sid, `its currency could not be read: ${one.why}`]] : [],
    ),
  );
}

/** For one account. What needs longer comes again with the next run. */
const PATIENCE_MS = 60_000;

async function outcomeOf(
  { twilio, publicUrl, policy, takeOver }: Pick<TwilioAccess, "twilio" | "publicUrl"> & TakingOver & { policy: Policy },
  { account, wanted }: Surveyed,
  trouble: string | undefined,
  interrupt: { readonly isOver: boolean },
): Promise<Outcome> {
  if (interrupt.isOver) return { account, kind: "not-begun", why: "interrupted before it was begun" };
  if (trouble !== undefined) return { account, kind: "not-begun", why: trouble };
  const until = { clock, deadline: clock.now().getTime() + PATIENCE_MS };
  const planOf = (existing: Surveyed["triggers"]) =>
    planFor(account.sid, existing, suspendingFirst(wanted, policy), { publicUrl, takeOver });
  return { account, ...(await bringInOrder(twilio, account.sid, planOf, until)) };
}

function lineOf(outcome: Outcome, { paint }: Terminal): string {
  const { account, kind } = outcome;
  const name = printable(accountName({ ...account, accountSid: account.sid }));
  const done = kind === "not-begun" ? "" : doneInWords(outcome);
  if (kind === "in-order") return `${paint("green", "✓")} ${name}: ${done || "in order already"}`;
  return `${paint("red", "✗")} ${name}: ${printable(outcome.why)}${done && ` (before that: ${done})`}`;
}

function doneInWords({ created, updated, removed }: Pick<Ordered, "created" | "updated" | "removed">): string {
  const parts = [
    created.length > 0 ? `${created.length} created` : "",
    updated.length > 0 ? `${updated.length} updated` : "",
    removed.length > 0 ? `${removed.length} removed` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** @throws Failure unless every account is in order. */
function report(found: Survey, outcomes: readonly Outcome[], { json }: ApplyOptions, terminal: Terminal): void {
  const { surveyed, unread } = found;
  const bad = [
    ...outcomes.flatMap((one) => (one.kind === "in-order" ? [] : [{ account: one.account, why: one.why }])),
    ...unread.map(({ account, why }) => ({ account, why: `its triggers could not be read: ${why}` })),
  ];
  const total = surveyed.length + unread.length;
  if (json) terminal.print(printableJson(jsonOf(outcomes, found)));
  else terminal.print(`${total - bad.length} of ${total === 1 ? "1 account" : `${total} accounts`} in order.`);
  if (bad.length > 0) throw notAllInOrder(bad);
}

function jsonOf(outcomes: readonly Outcome[], { surveyed, unread }: Survey) {
  return {
    accounts: outcomes.map(({ account, ...outcome }) => ({ ...named(account), ...outcome })),
    unread: unread.map(({ account, why }) => ({ ...named(account), why })),
    inOrder: surveyed.length - outcomes.filter(({ kind }) => kind !== "in-order").length,
    of: surveyed.length + unread.length,
  };
}

const named = ({ sid, friendlyName }: Surveyed["account"]) => ({ accountSid: sid, friendlyName });

function notAllInOrder(bad: readonly { account: Surveyed["account"]; why: string }[]): Failure {
  const some = bad.length === 1 ? "1 account is" : `${bad.length} accounts are`;
  return new Failure(EXIT.wentWrong, "triggers-not-applied", `${some} not in order.`, {
    fix: "mend what is said below, and run it again: it does what is left",
    notes: bad.slice(0, 50).map(({ account, why }) => `${account.sid}: ${why}`),
  });
}
