import { messageOf } from "../errors.ts";
import { describeFailure, type TwilioFailure } from "../twilio/failures.ts";
import { listUsageTriggers } from "../twilio/usage-triggers.ts";
import { presenceOf } from "./account-tally.ts";
import { noteFoundSuspended } from "./found-suspended.ts";
import type { Known, Recalled } from "./known.ts";
import type { SweptAccount } from "./shard.ts";
import { sweepTriggers } from "./sweep-triggers.ts";
import { REQUEST_TIMEOUT_MS, type Sweeper, type Turn } from "./sweeper.ts";
import { countsOnly, sumOf, type Tally } from "./tally.ts";
import { watchAccount } from "./watch-account.ts";

/**
 * The story of one account: watch its incident ─ read its triggers, once ─ judge ─ say what happened ─ repair ─ keep the
 * sample ─ remember. Whatever could not be read or said is found again by the next sweep, so an account that fails holds
 * up no other.
 */
export async function sweepAccount(
  sweeper: Sweeper,
  account: SweptAccount,
  recalled: Recalled,
  turn: Turn,
): Promise<Tally> {
  const watched = await watchAccount(sweeper, account, recalled, turn);
  const found = recalled.kind === "known" ? [await noteFoundSuspended(sweeper, account, recalled.known, turn)] : [];
  const { counts, ...rest } = sumOf([watched, ...found, await sweepRecalled(sweeper, account, recalled, turn)]);
  // An account that failed twice is one account.
  return { ...rest, counts: { ...counts, unread: Math.min(counts.unread, 1) } };
}

async function sweepRecalled(sweeper: Sweeper, account: SweptAccount, recalled: Recalled, turn: Turn): Promise<Tally> {
  if (recalled.kind === "unreadable") {
    sweeper.log.error("account-not-recalled", { accountSid: account.accountSid, reason: recalled.why });
    return countsOnly({ ...presenceOf(account), unread: 1 });
  }
  return account.watchOnly ? countsOnly({}) : readAndSweep(sweeper, account, recalled.known, turn);
}

async function readAndSweep(sweeper: Sweeper, account: SweptAccount, known: Known, turn: Turn): Promise<Tally> {
  const { log } = sweeper;
  const { accountSid } = account;
  try {
    const list = await listUsageTriggers(turn.twilio, accountSid, REQUEST_TIMEOUT_MS);
    if (list.kind === "ok") return await sweepTriggers(sweeper, { account, known, triggers: list.body }, turn);
    const reason = describeFailure(list.failure);
    if (isHidden(account, list.failure)) {
      log.info("suspended-account-not-read", { accountSid, reason });
      return countsOnly(presenceOf(account));
    }
    log.warn("account-not-read", { accountSid, reason });
  } catch (error) {
    log.error("account-not-swept", { accountSid, reason: messageOf(error) });
  }
  return countsOnly({ ...presenceOf(account), unread: 1 });
}

/** Whether Twilio shows the triggers of a suspended account is not documented: if not, nothing is missed there. */
function isHidden({ status }: SweptAccount, failure: TwilioFailure): boolean {
  return status === "suspended" && (failure.status === 401 || failure.status === 403);
}
