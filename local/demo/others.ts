import type { TwilioSimulator } from "../twilio/simulator.ts";
import type { AccountSummary } from "../twilio/summary.ts";
import { dollars, type Teller } from "./teller.ts";

/** Shows every account that the story is not about. @throws Error when one of them was touched. */
export function showOthers({ say, row }: Teller, simulator: TwilioSimulator, before: readonly AccountSummary[]): void {
  say("The others");
  for (const { accountSid, friendlyName, status } of before) {
    const now = simulator.account(accountSid);
    row(friendlyName, dollars(now.spentToday), now.status);
    if (now.status !== status) throw new Error(`${friendlyName} was touched.`);
  }
  say();
}
