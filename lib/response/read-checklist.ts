import { messageOf } from "../errors.ts";
import { type IncidentRecord, unchanged } from "../incidents/change.ts";
import type { Check, Checklist } from "../incidents/checklist.ts";
import { checklistRead } from "../incidents/coming-back.ts";
import type { Incident } from "../incidents/incident.ts";
import type { Policy } from "../policy/policy.ts";
import { wantedTriggers } from "../triggers/wanted.ts";
import { type Account, fetchAccount, requestSuspension } from "../twilio/accounts.ts";
import { apiKeysOf } from "../twilio/api-keys.ts";
import { retrying, type Until } from "../twilio/backoff.ts";
import { LIVE_STATUSES, listLiveCalls } from "../twilio/calls.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import { listUsageTriggers } from "../twilio/usage-triggers.ts";
import {
  judgeActive,
  judgeApiKeys,
  judgeAuthToken,
  judgeLiveCalls,
  judgeSuspendedBy,
  judgeTriggers,
  unread,
} from "./judge-checks.ts";
import { underRaises } from "./raised.ts";
import type { Responder } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";

const REQUEST_TIMEOUT_MS = 3000;

/** After containment, once. */
export function isChecklistDue({ incident: { state, containment, checklist } }: IncidentRecord): boolean {
  return state === "suspended" && checklist === null && containment !== null && containment.by !== "closed";
}

/**
 * What must be in order before the account comes back, where that is due.
 * @param isPatient whether a list counts that could not be read to its end in time
 */
export async function withChecklist(
  responder: Responder,
  record: IncidentRecord,
  until: Until,
  isPatient: boolean,
): Promise<IncidentRecord> {
  if (!isChecklistDue(record)) return record;
  try {
    const { checklist } = await readChecklist(responder, record, until);
    if (!isPatient && until.clock.now().getTime() >= until.deadline) return record;
    return await responder.store.change(record, (current) =>
      isChecklistDue(current) ? checklistRead(current, checklist, null) : unchanged(current),
    );
  } catch (error) {
    responder.log.warn("checklist-not-read", { incidentId: record.incident.id, reason: messageOf(error) });
    return record;
  }
}

export interface Reading {
  checklist: Checklist;
  /** Undefined when it could not be read. */
  account: Account | undefined;
  /** Of the auth token that the account has now. */
  tokenMark: TokenMark | null;
}

/** Reads everything side by side. What cannot be read is an answer, too. */
async function readChecklist(responder: Responder, record: IncidentRecord, until: Until): Promise<Reading> {
  const twilio = limitedTo(responder.twilio, until);
  const { incident } = record;
  const { accountSid } = incident;
  const [account, liveCalls, apiKeys, triggers] = await Promise.all([
    retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until),
    readLiveCalls(twilio, accountSid, until),
    readApiKeys(twilio, incident, until),
    readTriggers(responder, twilio, accountSid, until),
  ]);
  const tokenMark = await markIn(responder, account);
  const authToken =
    account.kind === "ok"
      ? judgeAuthToken(record.tokenMark, tokenMark)
      : unread("auth-token", "the account", account.failure);
  const suspendedBy = judgeSuspendedBy(incident.containment?.by ?? "already-suspended");
  const items = [suspendedBy, liveCalls, apiKeys, authToken, triggers];
  const readAt = responder.clock.now().toISOString();
  const body = account.kind === "ok" ? account.body : undefined;
  return { checklist: { readAt, items, ...(body && { account: body.status }) }, account: body, tokenMark };
}

/**
 * The same, and asks Twilio who suspended the account, in the only way there is: a suspension of an account that is
 * suspended already changes nothing, and is refused when Twilio itself did it
 * (https://www.twilio.com/docs/api/errors/21478).
 */
export async function readChecklistAnew(responder: Responder, record: IncidentRecord, until: Until): Promise<Reading> {
  const reading = await readChecklist(responder, record, until);
  const { account, checklist } = reading;
  if (account === undefined) return reading;
  const suspendedBy = await whoSuspended(responder, account, until);
  const items = checklist.items.map((item) => (item.id === "suspended-by" ? suspendedBy : item));
  return { ...reading, checklist: { ...checklist, items } };
}

async function whoSuspended(responder: Responder, { sid, status }: Account, until: Until): Promise<Check> {
  switch (status) {
    case "active":
      return judgeActive(sid);
    case "closed":
      return judgeSuspendedBy("closed");
    case "suspended":
      return byAsking(
        await retrying(() => requestSuspension(limitedTo(responder.twilio, until), sid, REQUEST_TIMEOUT_MS), until),
      );
  }
}

function byAsking(asked: Answer<Account>): Check {
  if (asked.kind === "ok") return { id: "suspended-by", answer: "done", why: "Twilio lets us change its status" };
  const { failure } = asked;
  if (failure.code === 21478) return judgeSuspendedBy("suspended-by-twilio");
  if (failure.code === 21479) return judgeSuspendedBy("closed");
  return unread("suspended-by", "who suspended it", failure);
}

async function readLiveCalls(twilio: TwilioClient, accountSid: string, until: Until): Promise<Check> {
  const lists = await Promise.all(
    LIVE_STATUSES.map((status) => retrying(() => listLiveCalls(twilio, accountSid, status, REQUEST_TIMEOUT_MS), until)),
  );
  const live = new Set<string>();
  for (const list of lists) {
    const failure = list.kind === "failed" ? list.failure : list.body.incomplete;
    if (failure !== null) return unread("live-calls", "the live calls", failure);
    for (const { sid } of list.kind === "ok" ? list.body.calls : []) live.add(sid);
  }
  return judgeLiveCalls(live.size);
}

async function readApiKeys(twilio: TwilioClient, incident: Incident, until: Until): Promise<Check> {
  const keys = await retrying(() => apiKeysOf(twilio, incident.accountSid).list(REQUEST_TIMEOUT_MS), until);
  return keys.kind === "ok"
    ? judgeApiKeys(keys.body, incident.openedAt)
    : unread("api-keys", "the API keys", keys.failure);
}

async function readTriggers(
  responder: Responder,
  twilio: TwilioClient,
  accountSid: string,
  until: Until,
): Promise<Check> {
  const [{ policy, publicUrl }, triggers] = await Promise.all([
    byRaises(responder, accountSid),
    retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until),
  ]);
  return triggers.kind === "ok"
    ? judgeTriggers(triggers.body, wantedTriggers(policy, accountSid, publicUrl), suspendingLimits(policy))
    : unread("triggers", "the usage triggers", triggers.failure);
}

/** Its raised limits may be known by now, or not: they are read again. Without them, the policy's own values count. */
async function byRaises(responder: Responder, accountSid: string): Promise<Responder> {
  try {
    return underRaises(responder, accountSid, await responder.store.recall(accountSid, "check-list"));
  } catch (error) {
    responder.log.warn("raises-not-read", { accountSid, reason: messageOf(error) });
    return responder;
  }
}

async function markIn({ markOf }: Responder, account: Answer<Account>): Promise<TokenMark | null> {
  if (account.kind === "failed" || account.body.authToken === undefined) return null;
  return markOf(account.body.sid, account.body.authToken);
}

function suspendingLimits({ limits }: Policy): number {
  return Object.values(limits).filter(({ then }) => then === "suspend").length;
}
