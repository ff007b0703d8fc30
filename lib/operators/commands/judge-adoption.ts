import type { Command } from "../../inbox/commands.ts";
import { incidentIdFor } from "../../incidents/record.ts";
import { isOver } from "../../incidents/transitions.ts";
import type { Envelope } from "./judge-incident-command.ts";
import { accountRefusal, isRepeated, latestOf, type SuspensionParts } from "./judge-suspension.ts";
import { reasonMistakes } from "./reason.ts";
import { stateConflict } from "./state-conflict.ts";
import { refusalFor, refused, type Verdict } from "./verdict.ts";
import type { WishedAdoption } from "./wished.ts";

/** Whether the account is suspended only Twilio knows, so the responder finds out. */
export async function judgeAdoption(
  { incidents, parentSid }: Omit<SuspensionParts, "policy">,
  wish: WishedAdoption,
  envelope: Envelope,
): Promise<Verdict> {
  const { accountSid } = wish;
  const unsuspendable = accountRefusal(accountSid, parentSid);
  if (unsuspendable !== undefined) return unsuspendable;
  const latest = await latestOf(incidents, accountSid);
  if (latest !== undefined && (await isRepeated(incidents, latest, wish, envelope)))
    return { kind: "repeated", incidentId: latest.id };
  if (latest !== undefined && !isOver(latest.state))
    return refused(stateConflict(latest, { expected: "an account without an open incident" }));
  const command: Command = { ...envelope, kind: "adopt", accountSid };
  return refusalFor(reasonMistakes(envelope.reason)) ?? { kind: "ready", command, incidentId: incidentIdFor(command) };
}
