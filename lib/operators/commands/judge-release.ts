import { quote } from "../../http/problem.ts";
import { allWaiting, type BrakeReader } from "../../incidents/brake-reader.ts";
import { type BrakeState, releaseOf, within } from "../../policy/brake.ts";
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
  const { state, isWaited, notWaiting } = await readRecord(() => readBrake(brake, wish));
  if (releaseOf(state, envelope.id) !== undefined) return { kind: "repeated", incidentId: null };
  const counted = within(policy.brake, state.suspensions, new Date(envelope.receivedAt));
  if (!isWaited && counted.length === 0) return refused(NOT_ON);
  const refusal = refusalFor([...reasonMistakes(envelope.reason), ...waitingFlaws(notWaiting)]);
  // All of thousands do not fit into a message: who waited when this was accepted, is known by when it began to.
  const accounts = wish.accounts === null ? null : [...new Set(wish.accounts)];
  const command = { ...envelope, kind: "release-brake" as const, accountSid: parentSid, accounts };
  return refusal ?? { kind: "ready", command, incidentId: null };
}

interface Found {
  state: BrakeState;
  /** Whether any account waits. */
  isWaited: boolean;
  /** Those that were asked for by name and do not wait. */
  notWaiting: string[];
}

async function readBrake(brake: BrakeReader, { accounts }: WishedRelease): Promise<Found> {
  const state = await brake.state();
  const wanted = new Set(accounts ?? []);
  let isWaited = false;
  for await (const page of allWaiting(brake)) {
    isWaited ||= page.length > 0;
    for (const { accountSid } of page) wanted.delete(accountSid);
    if (isWaited && wanted.size === 0) break;
  }
  return { state, isWaited, notWaiting: [...wanted] };
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
function waitingFlaws(others: readonly string[]): Flaw[] {
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
