import { randomUUID } from "node:crypto";
import { fetchAccount } from "../lib/twilio/accounts.ts";
import { describeFailure } from "../lib/twilio/failures.ts";
import type { Drill } from "../lib/webhooks/drill.ts";
import { EXIT, Failure } from "./failure.ts";
import { listSubaccounts, type TwilioAccess } from "./twilio-access.ts";

/** @throws Failure `account-not-found` where no firing could come from the account: people are told of a rehearsal. */
export async function newDrill(access: TwilioAccess, accountSid: string | undefined): Promise<Drill> {
  const { publicUrl, authToken } = access;
  if (accountSid !== undefined) await refuseUnlessOurs(access, accountSid);
  return {
    ...{ publicUrl, authToken },
    accountSid: accountSid ?? (await firstActive(access)),
    drillId: randomUUID(),
    sentAt: new Date(),
  };
}

async function firstActive(access: TwilioAccess): Promise<string> {
  const account = (await listSubaccounts(access)).accounts.find(({ status }) => status === "active");
  if (account !== undefined) return account.sid;
  throw new Failure(EXIT.notFound, "account-not-found", "There is no active subaccount to rehearse with.", {
    fix: "name one with --account",
  });
}

const REQUEST_TIMEOUT_MS = 10_000;

/** Where Twilio does not tell, the rehearsal goes on: what hinders Twilio is what it is to find. */
async function refuseUnlessOurs({ twilio }: TwilioAccess, accountSid: string): Promise<void> {
  const parentSid = twilio.accountSid;
  if (accountSid === parentSid) throw notOurs(`${accountSid} is the parent account, which is never suspended`);
  const answer = await fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS);
  if (answer.kind === "ok") {
    const { ownerAccountSid } = answer.body;
    if (ownerAccountSid !== parentSid) throw notOurs(`${accountSid} belongs to ${ownerAccountSid}`, parentSid);
    return;
  }
  const { failure } = answer;
  if (failure.kind === "not-found") throw notOurs(`${accountSid}: ${describeFailure(failure)}`, parentSid);
}

function notOurs(got: string, parentSid?: string): Failure {
  const whose = parentSid === undefined ? "" : ` of ${parentSid}`;
  return new Failure(EXIT.notFound, "account-not-found", "Nothing was sent: that is no subaccount of yours.", {
    expected: `the SID of a subaccount${whose}`,
    got,
    fix: "copy it from the Twilio Console, or leave --account out: then the first active one is taken",
  });
}
