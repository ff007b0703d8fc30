import { quote } from "../../http/problem.ts";
import type { BrakeReader } from "../../incidents/brake-reader.ts";
import { type BrakeState, within } from "../../policy/brake.ts";
import type { Policy } from "../../policy/policy.ts";
import { readRecord } from "../read-record.ts";
import type { Envelope } from "./judge-incident-command.ts";
import { reasonMistakes } from "./reason.ts";
import { type Flaw, refusalFor, refused, type Verdict } from "./verdict.ts";
import type { WishedRelease } from "./wished.ts";

export interface ReleaseParts {
  brake: BrakeReader;
  policy: Policy;
  parentSid: string;
}

/** The brake is nobody's account, so its messages stand in the parent's order. */
export async function judgeRelease(
  { brake, policy, parentSid }: ReleaseParts,
  wish: WishedRelease,
  envelope: Envelope,
): Promise<Verdict> {
  const state = await readRecord(brake);
  if (state.released.includes(envelope.id)) return { kind: "repeated", incidentId: null };
  const counted = within(policy.brake, state.suspensions, new Date(envelope.receivedAt));
  if (state.waiting.length === 0 && counted.length === 0) return refused(NOT_ON);
  const refusal = refusalFor([...reasonMistakes(envelope.reason), ...waitingFlaws(state, wish)]);
  // All means those whom the operator could see: who joins until it is carried out, waits for the next decision.
  const accounts = [...new Set(wish.accounts ?? state.waiting.map(({ accountSid }) => accountSid))];
  const command = { ...envelope, kind: "release-brake" as const, accountSid: parentSid, accounts };
  return refusal ?? { kind: "ready", command, incidentId: null };
}

const NOT_ON = {
  status: 409,
  code: "state-conflict",
  title: "Not in this state",
  detail: "The brake holds nothing: no account waits, and no suspension counts.",
  expected: "accounts that wait, or suspensions that count",
  got: "free",
  fix: "nothing: GET /api/brake shows it",
  state: "free",
} as const;

// Asked for by name, an account that does not wait would be passed over in silence.
function waitingFlaws({ waiting }: BrakeState, { accounts }: WishedRelease): Flaw[] {
  if (accounts === null) return [];
  const known = new Set(waiting.map(({ accountSid }) => accountSid));
  const others = accounts.filter((sid) => !known.has(sid));
  if (others.length === 0) return [];
  return [
    {
      code: "account-not-waiting",
      detail: "Not all of these accounts wait at the brake.",
      expected: "accounts that GET /api/brake lists as waiting, or no `accounts` for all of them",
      got: `${quote(others[0] ?? "")}${others.length > 1 ? `, and ${others.length - 1} more` : ""}`,
      fix: "leave them out; to suspend an account that does not wait: POST /api/subaccounts/{sid}/suspend",
    },
  ];
}
