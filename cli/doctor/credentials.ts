import { type Account, fetchAccount } from "../../lib/twilio/accounts.ts";
import { describeFailure, isRefusal, type TwilioFailure } from "../../lib/twilio/failures.ts";
import { wordsFor } from "../../lib/twilio/refusals.ts";
import type { TwilioAccess } from "../twilio-access.ts";
import { type Finding, good, warn, wrong } from "./finding.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const ABOUT = "credentials";
const USE_PARENTS = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to the parent account's SID and primary auth token";

/** Whose credentials these are, and of which kind. `works` tells whether anything can be read with them. */
export async function checkCredentials(access: TwilioAccess): Promise<{ findings: Finding[]; works: boolean }> {
  const { twilio } = access;
  const answer = await fetchAccount(twilio, twilio.accountSid, REQUEST_TIMEOUT_MS);
  if (answer.kind === "failed") {
    const seen = `Twilio does not show the account ${twilio.accountSid}: ${describeFailure(answer.failure)}`;
    return { findings: [wrong(ABOUT, seen, mendOf(answer.failure, access))], works: false };
  }
  const kind = kindOf(access, answer.body);
  const findings = kind.grade === "wrong" ? [kind] : [kind, statusOf(answer.body)];
  return { findings, works: kind.grade !== "wrong" };
}

/** Of a read: what to do after one is not what to do after a refused status update. */
function mendOf(failure: TwilioFailure, { apiUrl }: TwilioAccess): string {
  const { code, status } = failure;
  if (status === null) return apiUrl === undefined ? "check the network" : `check TWILIO_API_URL (${apiUrl})`;
  if (status === 401 || code === 20003 || code === 20404) return `${USE_PARENTS}, and check that it is active`;
  return isRefusal(failure) ? wordsFor(failure) : "run this again in a minute, and see https://status.twilio.com";
}

/** A subaccount may not suspend, and an API key is shown no auth tokens, with which webhooks are verified. */
function kindOf({ authToken }: TwilioAccess, account: Account): Finding {
  const name = `${account.friendlyName || "(no name)"} (${account.sid})`;
  if (account.ownerAccountSid !== account.sid) {
    return wrong(ABOUT, `${name} is a subaccount of ${account.ownerAccountSid}`, USE_PARENTS);
  }
  if (account.authToken === undefined) {
    return wrong(ABOUT, `an API key's, or limited ones: Twilio hides auth tokens from them, of ${name}`, USE_PARENTS);
  }
  if (account.authToken !== authToken) {
    const mend = "use the primary auth token: Twilio signs webhooks with it, and Tollbreaker verifies them with it";
    return warn(ABOUT, `an auth token of the parent account ${name}, but not its primary one`, mend);
  }
  return good(ABOUT, `the primary auth token of the parent account ${name}`);
}

function statusOf({ status }: Account): Finding {
  if (status === "active") return good("parent account", "active");
  const mend = "its subaccounts are suspended with it; only Twilio Support can lift that";
  return wrong("parent account", status, mend);
}
