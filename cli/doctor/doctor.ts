import type { Policy } from "../../lib/policy/policy.ts";
import type { Account } from "../../lib/twilio/accounts.ts";
import { readSpendToday } from "../../lib/twilio/usage-records.ts";
import { EXIT, Failure } from "../failure.ts";
import { raisesBeside } from "../raise-view.ts";
import type { Environment } from "../server.ts";
import { printableJson, type Terminal } from "../terminal.ts";
import { readCurrencies } from "../triggers/check-currencies.ts";
import { survey } from "../triggers/survey.ts";
import { findTwilio, listSubaccounts, policyOf, type TwilioAccess } from "../twilio-access.ts";
import { checkCurrencies, checkTokens } from "./accounts.ts";
import { checkCallback } from "./callback.ts";
import { checkClock } from "./clock.ts";
import { checkCredentials } from "./credentials.ts";
import { type Finding, lineOf, open, wrongBy } from "./finding.ts";
import { checkOperatorApi } from "./operator-api.ts";
import { checkPolicy } from "./policy.ts";
import { checkByRehearsal, notTried } from "./rehearsal.ts";
import { checkTriggers } from "./triggers.ts";
import { unknowns } from "./unknowns.ts";

export interface DoctorOptions {
  /** Also send a rehearsal. */
  send?: true;
  json?: true;
}

type Say = (...found: readonly Finding[]) => void;

/**
 * `doctor`: looks at everything that must be right, one line each as soon as it is seen. Changes nothing.
 * @throws Failure `doctor-found` when something is wrong.
 */
export async function doctorCommand(
  options: DoctorOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  const findings: Finding[] = [];
  const say: Say = (...found) => {
    findings.push(...found);
    if (!options.json) for (const one of found) terminal.print(lineOf(one, terminal.paint));
  };
  const access = await attempt("configuration", say, () => findTwilio(environment));
  if (access !== undefined) await examine(access, options, { environment, terminal, say });
  conclude(findings, options, terminal);
}

interface Scene {
  environment: Environment;
  terminal: Terminal;
  say: Say;
}

async function examine(access: TwilioAccess, { send }: DoctorOptions, scene: Scene): Promise<void> {
  const { environment, say } = scene;
  const credentials = await checkCredentials(access);
  say(...credentials.findings, await checkClock(access));
  const callback = await checkCallback(access);
  say(...callback, await checkOperatorApi(access, environment, new Date()));
  const policy = await attempt("policy", say, async () => policyOf(access));
  const listed = credentials.works ? await attempt("subaccounts", say, () => listSubaccounts(access)) : undefined;
  const accounts = listed?.accounts;
  if (accounts !== undefined) say(...checkTokens(accounts));
  const isCallable = callback.every(({ grade }) => grade !== "wrong");
  if (accounts !== undefined && policy !== undefined)
    await examineAccounts(access, { policy, accounts, isCallable }, scene);
  else say(open("accounts", "not looked at any closer", "mend what is wrong above, and run this again"));
  say(send ? await checkByRehearsal(access, environment) : notTried());
}

async function examineAccounts(
  access: TwilioAccess,
  { policy, accounts, isCallable }: { policy: Policy; accounts: readonly Account[]; isCallable: boolean },
  { environment, terminal, say }: Scene,
): Promise<void> {
  const { twilio } = access;
  say(...checkPolicy(policy, accounts, twilio.accountSid, new Date()));
  const raises = await raisesBeside(environment, terminal);
  const found = await attempt("usage triggers", say, () => survey(access, policy, terminal, { raises }));
  if (found === undefined) return;
  say(...checkTriggers(found, policy, isCallable));
  const living = accounts.filter(({ status }) => status !== "closed");
  const currencies = await readCurrencies(access, living, terminal);
  say(...checkCurrencies(policy, currencies));
  const parentSpentToday = await spentByParent(access);
  say(...unknowns({ found, currencies, parentSpentToday, isReal: access.apiUrl === undefined }));
}

const REQUEST_TIMEOUT_MS = 10_000;

async function spentByParent({ twilio }: TwilioAccess): Promise<string | null> {
  const answer = await readSpendToday(twilio, twilio.accountSid, "totalprice", REQUEST_TIMEOUT_MS);
  return answer.kind === "ok" ? (answer.body?.price ?? null) : null;
}

/** Undefined, and said, where it failed on purpose: what needs it is left out. */
async function attempt<T>(about: string, say: Say, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (thrown) {
    say(wrongBy(about, thrown));
    return undefined;
  }
}

function conclude(findings: readonly Finding[], { json }: DoctorOptions, terminal: Terminal): void {
  const count = (grade: Finding["grade"]) => findings.filter((one) => one.grade === grade).length;
  const counts = { good: count("good"), warn: count("warn"), wrong: count("wrong"), open: count("open") };
  if (json) terminal.print(printableJson({ findings, counts }));
  else terminal.print(`\n${counts.good} fine, ${counts.warn} to look at, ${counts.wrong} wrong, ${counts.open} open.`);
  if (counts.wrong === 0) return;
  const things = counts.wrong === 1 ? "1 thing is" : `${counts.wrong} things are`;
  throw new Failure(EXIT.failed, "doctor-found", `${things} wrong.`, {
    fix: "mend what is marked ✗, and run it again",
  });
}
