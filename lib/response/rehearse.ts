import { notice } from "../alerts/notice.ts";
import type { Station } from "../drills/drill-store.ts";
import { messageOf } from "../errors.ts";
import type { DrillNudge } from "../inbox/nudges.ts";
import { exemptionOf } from "../policy/exemption.ts";
import { type Account, fetchAccount } from "../twilio/accounts.ts";
import { describeFailure } from "../twilio/failures.ts";
import type { Errand, Responder } from "./responder.ts";

const REQUEST_TIMEOUT_MS = 5000;

/**
 * Everything that a real signal goes through but the suspension: reads the account and says whether it could have been
 * suspended, and tells people that it was a rehearsal.
 * @returns why it must come again; undefined when it is done.
 */
export async function rehearse(responder: Responder, { nudge }: Errand<DrillNudge>): Promise<string | undefined> {
  const { drills, alerts, clock } = responder;
  const pass = (station: Station, said: string, isGood: boolean) =>
    drills.pass(nudge.drillId, { station, at: clock.now().toISOString(), said, isGood });
  await pass("received", "the webhook verified it, and stored it in the inbox", true);
  await pass("handled", "the responder took it from the inbox", true);
  const read = await couldSuspend(responder, nudge.accountSid);
  await pass("account-read", read.said, read.isGood);
  try {
    await alerts.publish(told(nudge, read, clock.now()));
  } catch (error) {
    await pass("alert-published", messageOf(error), false);
    return `the rehearsal's alert was not published: ${messageOf(error)}`;
  }
  await pass("alert-published", "the alerts topic took it", true);
  return undefined;
}

interface Readiness {
  said: string;
  isGood: boolean;
}

async function couldSuspend(responder: Responder, accountSid: string): Promise<Readiness> {
  const { twilio } = responder;
  if (accountSid === twilio.accountSid) return bad("it is the parent account, which cannot be suspended");
  const account = await fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS);
  if (account.kind === "failed") return bad(`the account could not be read: ${describeFailure(account.failure)}`);
  const { ownerAccountSid, friendlyName } = account.body;
  if (ownerAccountSid !== twilio.accountSid) return bad(`the account belongs to ${ownerAccountSid}, not to us`);
  const name = friendlyName === "" ? accountSid : friendlyName;
  return good(`${name} is ours and ${wouldHave(responder, account.body)}`);
}

/** Twilio sets only an active account suspended, so its status goes before the policy. */
function wouldHave({ policy, clock }: Responder, { sid, status }: Account): string {
  if (status === "suspended") return "suspended already: a firing would join its incident";
  if (status === "closed") return "closed, for ever: a firing would change nothing";
  const exemption = exemptionOf(sid, policy, clock.now());
  if (exemption !== undefined) return `${status}; the policy exempts it: ${exemption}`;
  if (policy.mode === "observe") return `${status}; in observe mode it would not be suspended`;
  return `${status}; it would have been suspended now`;
}

const good = (said: string): Readiness => ({ said, isGood: true });
const bad = (said: string): Readiness => ({ said, isGood: false });

function told({ drillId, accountSid, sentAt }: DrillNudge, { said }: Readiness, now: Date) {
  return notice({
    id: `drill:${drillId}`,
    kind: "drill",
    severity: "info",
    subject: `REHEARSAL: nothing happened to ${accountSid}`,
    headline: "This is a rehearsal of Tollbreaker: nothing was suspended, and nothing has to be done.",
    facts: [
      { label: "Account", value: accountSid },
      { label: "Would have", value: said },
      { label: "Sent", value: sentAt },
    ],
    nextStep: "",
    at: now.toISOString(),
    drillId,
  });
}
