import { expect, test } from "vitest";
import { described, explore } from "./runner.ts";

const MINUTE = 60_000;
/** Others than `npm run prove` plays: `SEED=<another> npm run prove` for those. */
const SEED = 3;
const HISTORIES = 500;

test(`${HISTORIES} generated histories: whatever happens, the invariants hold`, { timeout: 15 * MINUTE }, async () => {
  const outcome = await explore({ seed: SEED, histories: HISTORIES, within: 12 * MINUTE });
  expect(outcome.failure, described(outcome)).toBeNull();
  expect(outcome.played).toBe(HISTORIES);
  // Worth something only where much happens in them.
  expect(outcome.happened["accounts suspended by us"]).toBeGreaterThan(HISTORIES / 2);
  expect(outcome.happened["accounts active by us"]).toBeGreaterThan(HISTORIES / 15);
  expect(outcome.happened["functions killed"]).toBeGreaterThan(HISTORIES / 10);
});
