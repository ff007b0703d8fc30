import { probeUnsigned } from "../callback-probe.ts";
import type { TwilioAccess } from "../twilio-access.ts";
import { type Finding, good, warn, wrong } from "./finding.ts";

const ABOUT = "callback";

/** Whether what Twilio calls is there, and lets nothing unsigned in. */
export async function checkCallback({ publicUrl, apiUrl, twilio }: TwilioAccess): Promise<Finding[]> {
  const probe = await probeUnsigned(publicUrl, twilio.accountSid);
  const seen = `${publicUrl}: ${probe.seen}`;
  const found = probe.kind === "right" ? good(ABOUT, seen) : wrong(ABOUT, seen, probe.fix);
  // A Twilio of one's own may well reach this machine.
  return apiUrl === undefined ? [...addressProblems(publicUrl), found] : [found];
}

/** Pure. */
export function addressProblems(publicUrl: string): Finding[] {
  const { protocol, hostname } = new URL(publicUrl);
  if (/^(localhost|127\.|\[::1\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(hostname)) {
    return [
      wrong(ABOUT, `${publicUrl} is an address of this network alone`, "set PUBLIC_URL to one that Twilio reaches"),
    ];
  }
  const mend = "use https: what is signed is read by everyone on the way";
  return protocol === "https:" ? [] : [warn(ABOUT, `${publicUrl} is not encrypted`, mend)];
}
