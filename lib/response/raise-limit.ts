import { raisedNotice } from "../alerts/raise-notices.ts";
import type { RaiseLimitCommand } from "../inbox/commands.ts";
import type { RaiseRecord } from "../incidents/raise-store.ts";
import type { Memory } from "../incidents/store.ts";
import { raiseMistakes } from "../policy/judge-raise.ts";
import type { Policy } from "../policy/policy.ts";
import { type Raise, raisableLimit, raisedPolicy } from "../policy/raise.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { retrying } from "../twilio/backoff.ts";
import { isRefusal } from "../twilio/failures.ts";
import { wordsFor } from "../twilio/refusals.ts";
import { arrangeLimit } from "./arrange-limit.ts";
import { recordOf } from "./end-raise.ts";
import { CALLS_SHARE, type Order, type Responder, share } from "./responder.ts";
import { whyStale } from "./stale-command.ts";

const REQUEST_TIMEOUT_MS = 4000;

/**
 * Raises a limit of one account for a while: check again ─ write it down ─ arrange its usage trigger ─ tell. It changes no
 * status and no incident. Repeatable: a delivery that was cut anywhere is finished by the next one, or by the sweep.
 * @param responder by the policy as it is without raises
 * @returns why it has to be tried again; undefined when it is done.
 * @throws what the store throws, and the topic
 */
export async function raiseLimit(
  responder: Responder,
  { command, ...turn }: Order<RaiseLimitCommand>,
  { raises: before }: Pick<Memory, "raises">,
): Promise<string | undefined> {
  const { store, alerts, log } = responder;
  const { accountSid, limit } = command;
  const earlier = Object.hasOwn(before, limit) ? before[limit] : undefined;
  const checked = await checkRaise(responder, command, turn);
  if (checked.kind === "again") return checked.why;
  if (checked.kind === "refused" && earlier?.command !== command.id) {
    log.warn("command-refused", { accountSid, command: command.id, why: checked.why });
    await store.recordRaise(refusedRecord(command, responder.policy, checked.why));
    return undefined;
  }
  const raise = earlier?.command === command.id ? earlier : newRaise(command, responder, before);
  const raises = { ...before, [limit]: raise };
  // What people can look up is there before it counts.
  if (earlier !== undefined && earlier.command !== command.id) await store.recordRaise(replaced(earlier, raise));
  await store.recordRaise(recordOf(raise));
  await store.keepRaises(accountSid, raises);
  log.info("limit-raised", {
    accountSid,
    limit,
    from: raise.from,
    to: raise.to,
    until: raise.until,
    by: raise.operator,
  });
  await arrangeLimit(responder, { accountSid, limit, raises }, share(responder, turn, CALLS_SHARE));
  if (raise.due !== "raised") return undefined;
  await alerts.publish(raisedNotice(raise, checked.kind === "fine" ? checked.friendlyName : null));
  await store.keepRaises(accountSid, { ...raises, [limit]: { ...raise, due: null } });
  return undefined;
}

type Checked =
  | { kind: "fine"; friendlyName: string }
  | { kind: "refused"; why: string }
  /** Nobody knows whose account it is. */
  | { kind: "again"; why: string };

async function checkRaise(
  responder: Responder,
  command: RaiseLimitCommand,
  turn: Omit<Order, "command">,
): Promise<Checked> {
  const { policy, twilio, clock } = responder;
  const { accountSid } = command;
  const refused = (why: string): Checked => ({ kind: "refused", why });
  const late = whyStale(command, undefined, clock.now());
  if (late !== undefined) return refused(late);
  const [mistake] = raiseMistakes(command, policy, new Date(command.receivedAt));
  if (mistake !== undefined) return refused(`${mistake.detail} Expected ${mistake.expected}.`);
  if (accountSid === twilio.accountSid) return refused("the parent account has no limits");
  const until = share(responder, turn, 0.3);
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "failed") {
    const why = `the account could not be read: ${wordsFor(account.failure)}`;
    return isRefusal(account.failure) || account.failure.kind === "not-found" ? refused(why) : { kind: "again", why };
  }
  const { ownerAccountSid, status, friendlyName } = account.body;
  if (ownerAccountSid !== twilio.accountSid) return refused(`the account belongs to ${ownerAccountSid}, not to us`);
  return status === "closed" ? refused("the account is closed") : { kind: "fine", friendlyName };
}

function newRaise(command: RaiseLimitCommand, { policy, clock }: Responder, before: Memory["raises"]): Raise {
  const { id, accountSid, limit, to, until, operator, road, reason, receivedAt: at } = command;
  const inForce = raisedPolicy(policy, accountSid, before, clock.now());
  const from = limitValue(limit, accountSid, inForce);
  return { command: id, accountSid, limit, from, to, until, operator, road, reason, at, ended: null, due: "raised" };
}

function limitValue(limit: string, accountSid: string, policy: Policy): string {
  const raisable = raisableLimit(limit, accountSid, policy);
  const rest = policy.rests?.[accountSid]?.[limit];
  return rest ?? (raisable.kind === "refused" ? "" : raisable.value);
}

function replaced(earlier: Raise, { operator, reason, at }: Raise): RaiseRecord {
  const ended = earlier.ended ?? { at, operator, reason: `raised anew: ${reason}`, spent: null, rest: null };
  return recordOf({ ...earlier, ended });
}

function refusedRecord(command: RaiseLimitCommand, policy: Policy, why: string): RaiseRecord {
  const { id, accountSid, limit, to, until, operator, road, reason, receivedAt: at } = command;
  const from = limitValue(limit, accountSid, policy);
  return {
    ...{ command: id, accountSid, limit, from, to, until, operator, road, reason, at },
    ...{ ended: null, state: "refused", why },
  };
}
