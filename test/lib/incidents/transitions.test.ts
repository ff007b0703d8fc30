import { describe, expect, test } from "vitest";
import { INCIDENT_STATES, type IncidentState } from "../../../lib/incidents/incident.ts";
import { assertMove, isOver, mayMove } from "../../../lib/incidents/transitions.ts";

/** Written down a second time on purpose: a move that appears or disappears must be meant. */
const MOVES = new Set([
  "open → suspended",
  "open → alerted",
  "open → failed",
  "open → dismissed",
  "suspended → reactivating",
  "suspended → dismissed",
  "alerted → suspended",
  "alerted → failed",
  "alerted → dismissed",
  "failed → suspended",
  "failed → dismissed",
  "reactivating → reactivated",
  "reactivating → suspended",
  "reactivating → failed",
]);
const PAIRS = INCIDENT_STATES.flatMap((from) =>
  INCIDENT_STATES.map((to): [IncidentState, IncidentState] => [from, to]),
);

test.each(PAIRS)("%s → %s", (from, to) => {
  const allowed = MOVES.has(`${from} → ${to}`);
  expect(mayMove(from, to)).toBe(allowed);
  if (allowed) expect(() => assertMove(from, to)).not.toThrow();
  else expect(() => assertMove(from, to)).toThrow(`An incident cannot go from ${from} to ${to}.`);
});

describe("an incident is over", () => {
  test.each(INCIDENT_STATES.map((state) => [state, state === "reactivated" || state === "dismissed"]))(
    "in the state %s: %s",
    (state, over) => expect(isOver(state)).toBe(over),
  );
});

test("a refused move says what is possible", () => {
  expect(() => assertMove("failed", "alerted")).toThrow(
    expect.objectContaining({ code: "transition-refused", expected: "one of suspended, dismissed", got: "alerted" }),
  );
  expect(() => assertMove("reactivated", "open")).toThrow(expect.objectContaining({ expected: "no move: it is over" }));
});
