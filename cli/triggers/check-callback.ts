import { randomUUID } from "node:crypto";
import { type Probe, probeSigned, probeUnsigned } from "../callback-probe.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import type { TwilioAccess } from "../twilio-access.ts";

/**
 * Whether a firing would arrive: a trigger that calls an address where nobody listens only looks like one that guards.
 * The signed request is a rehearsal, so it goes on to the responder and to the people who are told of rehearsals.
 * @throws Failure `callback-not-ready`
 */
export async function checkCallback(access: TwilioAccess, accountSid: string, terminal: Terminal): Promise<void> {
  const { publicUrl, authToken } = access;
  refuseUnlessRight(await probeUnsigned(publicUrl, accountSid), publicUrl);
  const drillId = randomUUID();
  const drill = { publicUrl, authToken, accountSid, drillId, sentAt: new Date() };
  refuseUnlessRight(await probeSigned(drill), publicUrl);
  terminal.tell(`The callback refuses what is unsigned and takes what is signed (rehearsal ${drillId}).`);
}

function refuseUnlessRight(probe: Probe, publicUrl: string): void {
  if (probe.kind === "right") return;
  throw new Failure(
    EXIT.refused,
    "callback-not-ready",
    `No trigger was changed: ${publicUrl} does not answer rightly.`,
    {
      got: probe.seen,
      fix: probe.fix,
    },
  );
}
