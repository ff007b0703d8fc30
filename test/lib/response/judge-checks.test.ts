import { expect, test } from "vitest";
import { missingFrom } from "../../../lib/incidents/checklist.ts";
import { judgeApiKeys } from "../../../lib/response/judge-checks.ts";

const OPENED = "2026-11-21T03:00:00.000Z";
const key = (nth: number) => ({
  sid: `SK${String(nth).padStart(32, "0")}`,
  friendlyName: "ci",
  dateCreated: "2026-10-01T00:00:00.000Z",
});
const keys = (count: number) => Array.from({ length: count }, (_, nth) => key(nth));

test("of many API keys five are named, and all of them are known", () => {
  const [shown, swapped] = [judgeApiKeys(keys(9), OPENED), judgeApiKeys([...keys(8), key(77)], OPENED)];
  expect(shown.why).toMatch(/^9 from before the incident, 0 made during it: (SK\d{32}, ){4}SK\d{32}, and 4 more \(/);
  expect(judgeApiKeys(keys(9).toReversed(), OPENED).why.slice(-13)).toBe(shown.why.slice(-13));

  const answers = { acknowledge: ["api-keys"], cleanup: [], seen: [shown] } as const;
  expect(missingFrom({ readAt: OPENED, items: [shown] }, answers)).toEqual([]);
  expect(missingFrom({ readAt: OPENED, items: [swapped] }, answers)).toEqual([swapped]);
});

test("five and fewer are all named", () => {
  expect(judgeApiKeys(keys(5), OPENED).why).not.toContain("more");
});
