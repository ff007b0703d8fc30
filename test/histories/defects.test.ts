import { expect, test } from "vitest";
import { EVERY_CASE } from "../support/every-case.ts";
import { DEFECTS } from "./defects.ts";
import { explore } from "./runner.ts";

const MINUTE = 60_000;
/** As many as `histories.test.ts` plays, and the same ones. */
const WITHIN = { seed: 3, histories: 500 };

/** Each takes seconds, some a minute: every fifth, or all of them with `EVERY_CASE=1`. */
const TRIED = EVERY_CASE ? DEFECTS : DEFECTS.filter((_, nth) => nth % 5 === 0);

// Shows that the histories are worth something: each of these would be noticed by them.
test.each(TRIED)("histories find code that $name", { timeout: 15 * MINUTE }, async ({ code, defect }) => {
  const outcome = await explore({ ...WITHIN, within: 12 * MINUTE, shrinks: false, defect, only: code });
  expect(outcome.failure?.found.map((one) => one.code)).toContain(code);
});
