import * as z from "zod/mini";
import { raiseError } from "../error-events.ts";
import { pick } from "../random.ts";
import type { Account, World } from "../state.ts";
import { type Advance, type AttackReport, attempts } from "./report.ts";
import { positive, timeFactor } from "./settings.ts";

/** A stranger tries SIP addresses and passwords. Twilio rejects every INVITE and charges nothing. */
export const SipProbing = z.object({
  kind: z.literal("sip-probing"),
  /** INVITEs, each an event, in a simulated second. */
  perSecond: z._default(positive, 36),
  /** Simulated minutes until the stranger gives up. */
  minutes: z._default(positive, 10),
  timeFactor,
});
type SipProbing = z.output<typeof SipProbing>;

export function probe(world: World, account: Account, attack: SipProbing, report: AttackReport): Advance {
  const inviting = Math.ceil(attack.perSecond * attack.minutes * 60);
  let due = 0;
  return (elapsed) => {
    due += (elapsed * attack.perSecond * attack.timeFactor) / 1_000;
    for (; due >= 1 && report.running; due -= 1) {
      rejectInvite(world, account);
      report.blocked += 1;
      report.running = attempts(report) < inviting;
    }
  };
}

// Most come from addresses that nobody listed; some guess a password behind one that is.
function rejectInvite(world: World, account: Account): void {
  const code = pick(world.random, [32201, 32201, 32201, 32202]);
  const from = `203.0.113.${1 + world.random.integer(4)}`;
  raiseError(world, account, {
    code,
    resourceSid: `CA${world.random.hex()}`,
    moreInfo: { sourceComponent: "15000", sourceIp: from, url: `sip:${account.sid.slice(2, 10)}.sip.twilio.com` },
  });
}
