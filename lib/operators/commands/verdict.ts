import {
  type LeftOut,
  type Missing,
  type Mistake,
  type Problem,
  type ShownChecklist,
  together,
} from "../../http/problem.ts";
import type { Command } from "../../inbox/commands.ts";

/** What the record says to a wish. `incidentId`: the incident that will tell how it goes; null where none does. */
export type Verdict =
  | { kind: "ready"; command: Command; incidentId: string | null; batch?: Batch }
  /** This very request was carried out before. */
  | { kind: "repeated"; incidentId: string | null; batch?: Batch }
  | Refused;

/** What becomes of each incident of a request for several. */
export interface Batch {
  /** Each has a command of its own, by which its history can be followed. */
  incidents: readonly { id: string; accountSid: string; command: string }[];
  leftOut: readonly LeftOut[];
}

export interface Refused {
  kind: "refused";
  problem: Problem;
}

export function refused(problem: Problem): Refused {
  return { kind: "refused", problem };
}

/** What the operator has to correct, or to answer, before it can be accepted. */
export type Flaw = Mistake & { missing?: readonly Missing[]; checklist?: ShownChecklist };

/** Names all flaws at once; undefined when there is none. */
export function refusalFor(flaws: readonly Flaw[]): Refused | undefined {
  const mistake = together(flaws.map(({ missing: _, checklist: __, ...rest }) => rest));
  if (mistake === undefined) return undefined;
  const missing = flaws.flatMap((flaw) => flaw.missing ?? []);
  const checklist = flaws.find((flaw) => flaw.checklist !== undefined)?.checklist;
  const more = { ...(missing.length > 0 && { missing }), ...(checklist !== undefined && { checklist }) };
  return refused({ status: 422, title: "Not complete", ...mistake, ...more });
}
