import type { Command } from "../../inbox/commands.ts";
import { limitMistake, raiseMistakes } from "../../policy/judge-raise.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Envelope } from "./judge-incident-command.ts";
import { accountRefusal } from "./judge-suspension.ts";
import { reasonMistakes } from "./reason.ts";
import { refusalFor, type Verdict } from "./verdict.ts";
import type { WishedRaise, WishedRaiseEnd } from "./wished.ts";

interface RaiseParts {
  policy: Policy;
  parentSid: string;
}

/** By the policy alone: whether the account is one of ours, and what is raised there already, the responder finds out. */
export function judgeRaise({ policy, parentSid }: RaiseParts, wish: WishedRaise, envelope: Envelope): Verdict {
  const { accountSid, limit, to, until } = wish;
  const mistakes = raiseMistakes(wish, policy, new Date(envelope.receivedAt));
  const refusal =
    accountRefusal(accountSid, parentSid) ?? refusalFor([...reasonMistakes(envelope.reason), ...mistakes]);
  if (refusal !== undefined) return refusal;
  const command: Command = { ...envelope, kind: "raise-limit", accountSid, limit, to, until: utcOf(until) };
  return { kind: "ready", command, incidentId: null };
}

/** A limit that is not raised by then is nothing to end: the responder says so. */
export function judgeRaiseEnd({ policy, parentSid }: RaiseParts, wish: WishedRaiseEnd, envelope: Envelope): Verdict {
  const { accountSid, limit } = wish;
  const mistake = limitMistake(limit, accountSid, policy);
  const refusal =
    accountRefusal(accountSid, parentSid) ??
    refusalFor([...reasonMistakes(envelope.reason), ...(mistake === undefined ? [] : [mistake])]);
  return refusal ?? { kind: "ready", command: { ...envelope, kind: "end-raise", accountSid, limit }, incidentId: null };
}

function utcOf(time: string): string {
  return new Date(time).toISOString();
}
