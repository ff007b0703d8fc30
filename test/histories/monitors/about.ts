import { readMessage } from "../../../lib/inbox/inbox.ts";
import type { Message } from "../../../lib/inbox/messages.ts";
import type { IncidentRecord } from "../../../lib/incidents/change.ts";
import { isOver } from "../../../lib/incidents/transitions.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { accountIn, recordFor } from "../core.ts";
import type { Run } from "../world/faults.ts";
import type { World } from "../world/world.ts";

/** An account by its number, as the steps of a history have it. */
export function nameOf({ twilio }: Pick<World, "twilio">, accountSid: string): string {
  return accountSid === twilio.parentSid ? "the parent" : `#${twilio.sids.indexOf(accountSid)}`;
}

/** The account's open incident, as the account's own item names it. */
export function openRecord({ table }: Pick<World, "table">, accountSid: string): IncidentRecord | undefined {
  const { openIncidentId } = accountIn(table, accountSid);
  const record = openIncidentId === undefined ? undefined : recordFor(table, openIncidentId);
  return record === undefined || isOver(record.incident.state) ? undefined : record;
}

export function isExempt({ exempt }: Policy, accountSid: string): boolean {
  return exempt.some(({ account }) => account === accountSid);
}

/** Whether the policy lets this account be suspended at all. */
export function isEnforced(policy: Policy, accountSid: string): boolean {
  return policy.mode === "enforce" && !isExempt(policy, accountSid);
}

/** What the run was given about this account; what cannot be read is left out. */
export function messagesOf({ bodies }: Run, accountSid: string): Message[] {
  return bodies.flatMap((body) => {
    try {
      const message = readMessage(body);
      return message.accountSid === accountSid ? [message] : [];
    } catch {
      return [];
    }
  });
}

/** Whether a message that names an account, or an incident, was put aside for a person, who is told by an alarm. */
export function isPutAside({ queues }: Pick<World, "queues">, named: string): boolean {
  const aside = [queues.inboxDeadLetters, queues.followUpDeadLetters].flatMap((queue) => queue.messages());
  return aside.some(({ body }) => body.includes(named));
}

/** Whether a person, and not the machine, is behind a suspension of this account now; or it is on its way back to safe. */
export function isByHand(world: World, run: Run | undefined, accountSid: string): boolean {
  const incident = openRecord(world, accountSid)?.incident;
  const isAsked = run !== undefined && messagesOf(run, accountSid).some(({ kind }) => kind === "suspend");
  return isAsked || incident?.suspension != null || incident?.state === "reactivating";
}
