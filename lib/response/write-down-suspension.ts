import type { FoundSuspendedNudge } from "../inbox/nudges.ts";
import { followedBy, type IncidentRecord, unchanged } from "../incidents/change.ts";
import type { Containment } from "../incidents/incident.ts";
import { type Suspended, suspended, suspendedAgain, type Tripping } from "../incidents/record.ts";
import { saysActive } from "../incidents/watched.ts";
import { type Account, fetchAccount } from "../twilio/accounts.ts";
import { incidentIdOf, opening } from "./case.ts";
import { markTaken, permitFor, wasAskedBefore } from "./enforce.ts";
import type { Recollection } from "./recollect.ts";
import { type Errand, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { limitedTo, NO_SOONER_MS } from "./time-limit.ts";

type By = Extract<Containment["by"], "tollbreaker" | "already-suspended">;

const FOUND: Readonly<Record<By, Pick<Tripping, "rule" | "reason">>> = {
  tollbreaker: {
    rule: "suspended by Tollbreaker, found later",
    reason: "Tollbreaker had asked for it, and Twilio carried it out later: found by the sweep",
  },
  "already-suspended": {
    rule: "suspended, not by Tollbreaker",
    reason:
      "found by the sweep, and no request of Tollbreaker's is on record for it: somebody else suspended it, or Twilio carried out an earlier request late",
  },
};

/**
 * The account is suspended, and the record does not say so: whoever did it, it is written down, and people are told once. An
 * account without an open incident gets one, by which it can come back clean and guarded.
 * @returns undefined where there is nothing to write down: Twilio does not say so, or the record does by now.
 * @throws whatever the store throws
 */
export async function writeDownSuspension(
  responder: Responder,
  errand: Errand<FoundSuspendedNudge>,
  current: Recollection,
): Promise<IncidentRecord | undefined> {
  const { known } = current;
  if (known !== undefined && !saysActive(known.incident)) return undefined;
  const account = await suspendedAccount(responder, errand);
  if (account === undefined) return undefined;
  const by = await whose(responder, errand, current);
  const delivery = { signal: errand.nudge, ...errand };
  const permit = permitFor(responder, delivery, current, incidentIdOf(errand.nudge, current));
  await permit.settle(by === "tollbreaker" ? "ours" : "not-ours");
  const now = responder.clock.now();
  const tokenMark = await markTaken(responder, { kind: "suspended", by, account, at: now, asked: false });
  const { friendlyName } = account;
  const found = { by, friendlyName, tokenMark, reason: FOUND[by].reason, now };
  return record(responder, { signal: errand.nudge, isNamed: true, ...FOUND[by] }, current, found);
}

/** As Twilio says now; undefined where it says otherwise, or nothing: the sweep asks again. */
async function suspendedAccount(
  responder: Responder,
  { nudge, ...turn }: Errand<FoundSuspendedNudge>,
): Promise<Account | undefined> {
  const { twilio } = responder;
  const inTime = limitedTo(twilio, share(responder, turn, SUSPENSION_SHARE));
  const reading = await fetchAccount(inTime, nudge.accountSid, NO_SOONER_MS);
  if (reading.kind === "failed") return undefined;
  const { sid, ownerAccountSid, status } = reading.body;
  const isIt = sid === nudge.accountSid && ownerAccountSid === twilio.accountSid && status === "suspended";
  return isIt ? reading.body : undefined;
}

/** Ours where a request of ours is on record that nobody saw come true. */
async function whose(
  { store }: Responder,
  { nudge, ...turn }: Errand<FoundSuspendedNudge>,
  { memory, known }: Recollection,
): Promise<By> {
  const { lastIncidentId } = memory;
  const asked = known ?? (lastIncidentId === null ? undefined : await store.load(lastIncidentId));
  const isOurs = wasAskedBefore({ signal: nudge, ...turn }, { known: asked });
  return isOurs ? "tollbreaker" : "already-suspended";
}

async function record(
  responder: Responder,
  tripping: Tripping,
  current: Recollection,
  found: Suspended,
): Promise<IncidentRecord> {
  const { store } = responder;
  const { known } = current;
  if (known === undefined) {
    const opened = await opening(responder, tripping, current);
    return store.save(followedBy(opened, (next) => suspended(next, found)));
  }
  return store.change(known, (next) => {
    if (!saysActive(next.incident)) return unchanged(next);
    return next.incident.state === "suspended" ? suspendedAgain(next, tripping, found) : suspended(next, found);
  });
}
