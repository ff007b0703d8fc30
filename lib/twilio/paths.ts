import { isAccountSid } from "./sids.ts";

/**
 * The path of an account in Twilio's 2010-04-01 API, or of what `rest` names below it: `("AC…", "Keys", "SK…")`.
 * @throws TypeError for what could lead to another path than the one that is meant.
 */
export function accountPath(accountSid: string, ...rest: readonly string[]): string {
  if (!isAccountSid(accountSid)) throw new TypeError(`Not an AccountSid: ${JSON.stringify(accountSid)}`);
  const strange = rest.find((part) => !/^\w+$/.test(part));
  if (strange !== undefined) throw new TypeError(`Not a part of a path: ${JSON.stringify(strange)}`);
  return `/2010-04-01/Accounts/${[accountSid, ...rest].join("/")}.json`;
}
