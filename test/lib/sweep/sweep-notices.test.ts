import { expect, test } from "vitest";
import type { Run } from "../../../lib/sweep/run-store.ts";
import {
  armedNotice,
  dailySummary,
  driftNotice,
  repeatedNotice,
  troubleNotice,
} from "../../../lib/sweep/sweep-notices.ts";
import { type Counts, type Names, NO_COUNTS, NO_NAMES } from "../../../lib/sweep/tally.ts";
import { NOW } from "./examples.ts";

function run(
  counts: Partial<Counts>,
  names: Partial<Names> = {},
  lastFinishedAt: string | null = NOW.toISOString(),
): Run {
  const times = { startedAt: NOW.toISOString(), progressAt: null, finishedAt: null, lastFinishedAt };
  const told = { summaryOn: null, setAsideToldOn: null, incompleteToldOn: null };
  const sums = { counts: { ...NO_COUNTS, ...counts }, names: { ...NO_NAMES, ...names } };
  return { sweepId: "a-sweep", from: 0, shards: 1, done: new Set([0]), ...times, ...told, ...sums };
}

test("one account is one, several are several", () => {
  expect(armedNotice(run({ arrived: 1 }), NOW).headline).toBe(
    "1 subaccount never seen before: now it carries the policy's usage triggers.",
  );
  expect(driftNotice(run({ drifted: 3 }), NOW).subject).toBe("Usage triggers repaired on 3 subaccounts");
  expect(troubleNotice(run({ refused: 2, newlyRefused: 2 }), NOW).headline).toMatch(
    /^2 subaccounts lack usage triggers/,
  );
});

test("the very first sweep names nobody", () => {
  const first = armedNotice(
    run({ arrived: 1000, created: 3000, createdAnew: 3000 }, { arrived: ["One (AC1)"] }, null),
    NOW,
  );
  expect(first.subject).toBe("Tollbreaker watches 1000 subaccounts from now on");
  expect(first.text).not.toContain("AC1");
});

test("what a new account got is no repair of another one's", () => {
  const both = run({ arrived: 1, drifted: 1, created: 4, createdAnew: 3, updated: 1 });
  expect(armedNotice(both, NOW).text).toContain("3 created");
  expect(driftNotice(both, NOW).text).toContain("1 created, 1 made to call us again");
});

test("more than 20 are counted, not named", () => {
  const names = Array.from({ length: 39 }, (_, index) => `Name ${index} (AC${index})`);
  const [accounts] = driftNotice(run({ drifted: 500 }, { drifted: names }), NOW).facts;
  expect(accounts?.value).toContain("Name 19");
  expect(accounts?.value).not.toContain("Name 20");
  expect(accounts?.value).toMatch(/; and 480 more$/);
});

test("a repeated notice of one sweep has the same id, another sweep's another; a summary one for each day", () => {
  const [one, later] = [NOW, new Date(NOW.getTime() + 60_000)];
  expect(driftNotice(run({}), one).id).toBe(driftNotice(run({}), later).id);
  expect(driftNotice({ ...run({}), sweepId: "b" }, one).id).not.toBe(driftNotice(run({}), one).id);
  expect(dailySummary({ ...run({}), sweepId: "b" }, one).id).toBe(dailySummary(run({}), later).id);
});

test("subjects are what SNS takes: at most 99 printable ASCII characters", () => {
  const refused = { refused: 10_000, repeated: 10_000, newlyRefused: 10_000 };
  const many = run({ accounts: 10_000, armed: 9999, quiet: 9998, arrived: 10_000, drifted: 10_000, ...refused });
  const subjects = [armedNotice, driftNotice, repeatedNotice, troubleNotice, dailySummary].map(
    (make) => make(many, NOW).subject,
  );
  for (const subject of subjects) expect(subject).toMatch(/^[ -~]{1,99}$/);
});
