import { carryOut } from "../acting/carry-out.ts";
import { requireReason } from "../acting/reason.ts";
import { accounts as many } from "../brake-text.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Environment, Server } from "../server.ts";
import { printable, type Terminal } from "../terminal.ts";
import { findTwilio, listSubaccounts } from "../twilio-access.ts";

export interface AdoptOptions {
  all?: true;
  reason?: string;
}

/**
 * `accounts adopt`: an account that was suspended before Tollbreaker watched, or past it, gets an incident. Changes nothing at
 * Twilio. With `--all`, one after the other; what has an open incident is passed over.
 * @throws Failure when it was refused, or one of them could not be adopted.
 */
export async function adoptCommand(
  server: Server,
  sid: string | undefined,
  { all, reason: given }: AdoptOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  if ((sid === undefined) !== (all === true)) throw whichOne(sid);
  const reason = await requireReason(given, terminal);
  if (sid !== undefined) return adoptOne(server, sid, reason, terminal);
  const sids = await suspendedAccounts(environment);
  const outcomes = [];
  for (const one of sids) outcomes.push(await tryOne(server, one, reason, terminal));
  report(outcomes, terminal);
}

async function adoptOne(server: Server, accountSid: string, reason: string, terminal: Terminal): Promise<void> {
  const path = `/api/subaccounts/${encodeURIComponent(accountSid)}/adopt`;
  await carryOut(server, { asked: "adopt", path, json: { reason }, accountSid }, terminal, {});
}

async function suspendedAccounts(environment: Environment): Promise<string[]> {
  const { accounts } = await listSubaccounts(await findTwilio(environment));
  return accounts.filter(({ status }) => status === "suspended").map(({ sid }) => sid);
}

interface Outcome {
  accountSid: string;
  kind: "adopted" | "has-one" | "failed";
  why: string;
}

async function tryOne(server: Server, accountSid: string, reason: string, terminal: Terminal): Promise<Outcome> {
  try {
    await adoptOne(server, accountSid, reason, terminal);
    return { accountSid, kind: "adopted", why: "" };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const kind = thrown.code === "state-conflict" ? "has-one" : "failed";
    return { accountSid, kind, why: thrown.message };
  }
}

/** @throws Failure `accounts-not-adopted` */
function report(outcomes: readonly Outcome[], terminal: Terminal): void {
  const count = (kind: Outcome["kind"]) => outcomes.filter((one) => one.kind === kind).length;
  terminal.print(`${many(count("adopted"))} adopted; ${count("has-one")} had an open incident already.`);
  const failed = outcomes.filter(({ kind }) => kind === "failed");
  if (failed.length === 0) return;
  throw new Failure(EXIT.wentWrong, "accounts-not-adopted", `${many(failed.length)} could not be adopted.`, {
    fix: "mend what is said below, and run it again: it passes over those that are done",
    notes: failed.slice(0, 50).map(({ accountSid, why }) => printable(`${accountSid}: ${why}`)),
  });
}

function whichOne(sid: string | undefined): Failure {
  return new Failure(EXIT.usage, "account-not-named", "It is not clear which accounts are to be adopted.", {
    expected: "an account's SID, or --all",
    got: sid === undefined ? "neither" : "both",
    fix: "name one of the two",
  });
}
