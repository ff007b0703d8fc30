import type { Policy } from "../../lib/policy/policy.ts";
import { notesOn } from "../../lib/policy/policy-notes.ts";
import type { Account } from "../../lib/twilio/accounts.ts";
import { type Finding, good, warn, wrong } from "./finding.ts";

const ABOUT = "policy";

/** Pure. What in the policy may not be meant, and what can't work with these accounts. */
export function checkPolicy(policy: Policy, accounts: readonly Account[], parentSid: string, now: Date): Finding[] {
  const findings = [
    ...notesOn(policy, now).map((note) => warn(ABOUT, note, "see docs/policy.md")),
    ...unknownSids(policy, accounts, parentSid),
  ];
  const count = Object.keys(policy.limits).length + Object.keys(policy.rates).length;
  return findings.length > 0 ? findings : [good(ABOUT, `${count} limits, and every account that it names is there`)];
}

/** An exemption with a slip in its SID protects nobody. */
function unknownSids(policy: Policy, accounts: readonly Account[], parentSid: string): Finding[] {
  const named = [
    ...policy.exempt.map(({ account }) => ["exempt", account] as const),
    ...Object.keys(policy.accounts).map((account) => ["accounts", account] as const),
  ];
  return named.flatMap(([where, sid]) => {
    const account = accounts.find((one) => one.sid === sid);
    if (account !== undefined && account.status !== "closed") return [];
    if (account !== undefined)
      return [warn(ABOUT, `${where}: ${sid} is closed, for ever`, "take it out of the policy")];
    if (sid === parentSid) {
      return [warn(ABOUT, `${where}: ${sid} is the parent account, which is never suspended`, "take it out")];
    }
    const mend = "copy the SID from the Twilio Console: what is said here holds for no account";
    return [wrong(ABOUT, `${where}: ${sid} is none of the ${accounts.length} subaccounts`, mend)];
  });
}
