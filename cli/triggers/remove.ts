import { removeTriggers } from "../../lib/triggers/apply.ts";
import { withoutOthers } from "../../lib/triggers/other-tollbreaker.ts";
import { isMarked } from "../../lib/triggers/wanted.ts";
import { describeFailure } from "../../lib/twilio/failures.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { confirm } from "../acting/confirm.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Environment } from "../server.ts";
import { printable, printableJson, type Terminal } from "../terminal.ts";
import { findTwilio, policyOf, type TwilioAccess } from "../twilio-access.ts";
import { accountName } from "../wording.ts";
import { notAllRead } from "./plan.ts";
import { eachAccount, type Surveyed, survey } from "./survey.ts";

export interface RemoveOptions {
  /** Without the question. */
  yes?: true;
  json?: true;
}

/**
 * `triggers remove`: removes the usage triggers that are ours, those that guard a reactivated account included, and no
 * other, another Tollbreaker's neither. @throws Failure when it was not wanted after all, or something is left.
 */
export async function removeCommand(
  options: RemoveOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  const access = await findTwilio(environment);
  const { surveyed, unread } = await survey(access, policyOf(access), terminal);
  const doomed = surveyed.map(({ account, triggers }) => ({
    account,
    ours: withoutOthers(triggers.filter(isMarked), access.publicUrl),
  }));
  const due = doomed.filter(({ ours }) => ours.length > 0);
  const total = due.reduce((sum, { ours }) => sum + ours.length, 0);
  if (total > 0) await askFirst({ total, accounts: due.length }, options, terminal);
  const outcomes = await eachAccount(due, { what: "Removing", terminal }, (one) => removeOf(access, one));
  report(outcomes, options, terminal);
  if (unread.length > 0) throw notAllRead(unread);
}

async function askFirst(
  { total, accounts }: { total: number; accounts: number },
  { yes }: RemoveOptions,
  terminal: Terminal,
): Promise<void> {
  terminal.tell("Without them, no spend of these accounts trips anything. A sweep that still runs puts them back.");
  if (!yes) await confirm(`Remove ${total} usage triggers of ${accounts} accounts?`, terminal);
}

interface Outcome {
  account: Surveyed["account"];
  removed: readonly string[];
  /** Null when nothing is left. */
  why: string | null;
}

async function removeOf(
  { twilio }: TwilioAccess,
  { account, ours }: { account: Surveyed["account"]; ours: readonly UsageTrigger[] },
): Promise<Outcome> {
  const { removed, failures } = await removeTriggers(twilio, account.sid, ours);
  const whys = failures.map(({ what, failure }) => `${what}: ${describeFailure(failure)}`);
  return { account, removed, why: whys.length === 0 ? null : whys.join("; ") };
}

function report(outcomes: readonly Outcome[], { json }: RemoveOptions, terminal: Terminal): void {
  const removed = outcomes.reduce((sum, one) => sum + one.removed.length, 0);
  if (json) terminal.print(printableJson({ accounts: outcomes.map(viewOf), removed }));
  else {
    for (const one of outcomes) terminal.print(lineOf(one, terminal));
    terminal.print(removed === 0 ? "Nothing of ours is there." : `${removed} removed.`);
  }
  const bad = outcomes.filter(({ why }) => why !== null);
  if (bad.length === 0) return;
  throw new Failure(EXIT.wentWrong, "triggers-not-removed", `Not all could be removed from ${bad.length} accounts.`, {
    fix: "run it again: it does what is left",
    notes: bad.slice(0, 50).map(({ account, why }) => `${account.sid}: ${why}`),
  });
}

const viewOf = ({ account, removed, why }: Outcome) => ({
  accountSid: account.sid,
  friendlyName: account.friendlyName,
  removed,
  why,
});

function lineOf({ account, removed, why }: Outcome, { paint }: Terminal): string {
  const mark = why === null ? paint("green", "✓") : paint("red", "✗");
  const name = printable(accountName({ ...account, accountSid: account.sid }));
  return `${mark} ${name}: ${removed.length} removed${why === null ? "" : `; ${printable(why)}`}`;
}
