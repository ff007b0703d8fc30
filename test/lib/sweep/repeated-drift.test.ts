import { describe, expect, test } from "vitest";
import { type Drift, repeatedDrift } from "../../../lib/sweep/repeated-drift.ts";
import { NOW, timeBefore } from "./examples.ts";

const MINUTE = 60_000;
const NAME = "tollbreaker: daily-spend";
const ago = (minutes: number) => timeBefore(minutes * MINUTE).toISOString();
const look = (before: Drift | null, names: readonly string[] = [NAME]) =>
  repeatedDrift(before, names, { sweepId: "this", now: NOW });
const told = (minutes: number, sweepId = "earlier") => ({ at: ago(minutes), sweepId, names: [NAME] });

describe("a trigger that was put right", () => {
  test("is remembered, and nobody is told yet", () => {
    expect(look(null)).toEqual({ drift: { at: { [NAME]: NOW.toISOString() }, told: null }, repeated: [] });
  });

  test.each([
    ["with the next sweep", 5, [NAME]],
    ["with the next but one", 15, [NAME]],
    ["much later", 21, []],
  ])("and again %s", (_, minutes, repeated) => {
    const again = look({ at: { [NAME]: ago(minutes) }, told: null });
    expect(again.repeated).toEqual(repeated);
    expect(again.drift?.told).toEqual(
      repeated.length === 0 ? null : { at: NOW.toISOString(), sweepId: "this", names: [NAME] },
    );
  });

  test("and then another one: each may have its own reason", () => {
    const { drift, repeated } = look({ at: { "tollbreaker: texts": ago(5) }, told: null });
    expect(repeated).toEqual([]);
    expect(Object.keys(drift?.at ?? {}).toSorted()).toEqual([NAME, "tollbreaker: texts"]);
  });
});

test("people are told again after an hour, while it goes on", () => {
  const at = { [NAME]: ago(5) };
  expect(look({ at, told: told(59) }).repeated).toEqual([]);
  expect(look({ at, told: told(60) }).repeated).toEqual([NAME]);
});

test("the same sweep says it once more, by what it remembers: its shard may be handed out again", () => {
  const before = { at: { [NAME]: ago(0) }, told: told(0, "this") };
  expect(look(before, [])).toEqual({ drift: before, repeated: [NAME] });
});

test("nothing was done: nothing changes", () => {
  const before = { at: { [NAME]: ago(5) }, told: null };
  expect(look(before, []).drift).toBe(before);
  expect(look(null, [])).toEqual({ drift: null, repeated: [] });
});

test("what is long ago is forgotten", () => {
  const { drift } = look({ at: { "tollbreaker: texts": ago(25) }, told: null });
  expect(Object.keys(drift?.at ?? {})).toEqual([NAME]);
});
