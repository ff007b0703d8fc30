import { type Problem, quote } from "../../http/problem.ts";
import type { Command } from "../../inbox/commands.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { IncidentReader } from "../../incidents/incident-reader.ts";
import { incidentIdFor } from "../../incidents/record.ts";
import { isOver } from "../../incidents/transitions.ts";
import type { Policy } from "../../policy/policy.ts";
import { isAccountSid } from "../../twilio/sids.ts";
import { readRecord } from "../read-record.ts";
import { type Envelope, isCarriedOut } from "./judge-incident-command.ts";
import { objections } from "./objections.ts";
import { reasonMistakes } from "./reason.ts";
import { type Flaw, type Refused, refusalFor, refused, type Verdict } from "./verdict.ts";
import type { WishedSuspension } from "./wished.ts";

export interface SuspensionParts {
  incidents: IncidentReader;
  policy: Policy;
  parentSid: string;
}

/**
 * The emergency stop: in whatever state the account's incident is, also while it is on its way back. Whether the account
 * is one of ours only Twilio knows, so the responder finds out.
 */
export async function judgeSuspension(
  parts: SuspensionParts,
  wish: WishedSuspension,
  envelope: Envelope,
): Promise<Verdict> {
  const { accountSid, acknowledge } = wish;
  const unsuspendable = accountRefusal(accountSid, parts.parentSid);
  if (unsuspendable !== undefined) return unsuspendable;
  const latest = await latestOf(parts.incidents, accountSid);
  if (latest !== undefined && (await isRepeated(parts.incidents, latest, wish, envelope)))
    return { kind: "repeated", incidentId: latest.id };
  const unanswered = [...reasonMistakes(envelope.reason), ...objectionFlaws(parts.policy, wish, envelope)];
  const command: Command = { ...envelope, kind: "suspend", accountSid, acknowledge: [...new Set(acknowledge)] };
  return refusalFor(unanswered) ?? { kind: "ready", command, incidentId: storyOf(latest, command) };
}

/** Whether it is no account that can be suspended, whatever its incidents say; undefined when it may be one. */
export function accountRefusal(accountSid: string, parentSid: string): Refused | undefined {
  if (!isAccountSid(accountSid)) return refused(noSuchAccount(accountSid));
  return accountSid === parentSid ? refused(PARENT_ACCOUNT) : undefined;
}

/** A signal that was kept for long opens an incident among the older ones; beyond these nobody needs to look. */
const MOST_READ = 25;

/** The account's open incident, of which there is one at most; without one, its latest. */
export async function latestOf(incidents: IncidentReader, accountSid: string): Promise<Incident | undefined> {
  const page = await readRecord(() => incidents.list({ accountSid, limit: MOST_READ }));
  return page.incidents.find(({ state }) => !isOver(state)) ?? page.incidents[0];
}

/** Whether this very request was carried out before. */
export async function isRepeated(
  incidents: IncidentReader,
  { id }: Incident,
  { requestId }: Pick<WishedSuspension, "requestId">,
  envelope: Envelope,
): Promise<boolean> {
  // Without a name of its own a request is a new one.
  if (requestId === undefined) return false;
  const found = await readRecord(() => incidents.get(id));
  return found !== undefined && isCarriedOut(found.timeline, envelope);
}

/** The incident that tells of it: the open one, or the one that the responder will open, whose id follows from this. */
function storyOf(latest: Incident | undefined, command: Command): string {
  return latest !== undefined && !isOver(latest.state) ? latest.id : incidentIdFor(command);
}

function objectionFlaws(
  policy: Policy,
  { accountSid, acknowledge }: WishedSuspension,
  { receivedAt }: Envelope,
): Flaw[] {
  const missing = objections(policy, accountSid, new Date(receivedAt)).filter(({ id }) => !acknowledge.includes(id));
  if (missing.length === 0) return [];
  const ids = missing.map(({ id }) => id);
  return [
    {
      code: "acknowledgement-missing",
      detail: `The policy is against it: ${missing.map(({ why }) => why).join("; ")}.`,
      expected: `${ids.join(" and ")} in \`acknowledge\``,
      got: acknowledge.length === 0 ? "nothing acknowledged" : acknowledge.join(", "),
      fix: `if it is to be suspended all the same, send "acknowledge": ${JSON.stringify(ids)}`,
      missing,
    },
  ];
}

function noSuchAccount(sid: string): Problem {
  return {
    status: 404,
    code: "account-not-found",
    title: "No such account",
    detail: "No account can have this SID.",
    expected: "an AccountSid: AC and 32 hexadecimal digits",
    got: quote(sid),
    fix: "copy the subaccount's SID from Twilio's Console, or from its incident",
  };
}

const PARENT_ACCOUNT: Problem = {
  status: 409,
  code: "parent-account",
  title: "The parent account cannot be suspended",
  detail: "This is the parent account: nothing could lift its suspension, and it would stop every subaccount.",
  expected: "the SID of a subaccount",
  got: "the parent's",
  fix: "suspend the subaccounts that spend; for the parent itself turn to Twilio's support",
};
