import { expect, test } from "vitest";
import { type Circumstances, decide } from "../../../lib/policy/decide.ts";
import { guardBases, interimOf } from "../../../lib/policy/probation.ts";
import { policyOf } from "../../support/policies.ts";
import { firing } from "../../support/signals.ts";

// A guard that stands for a spent limit without a reactivation, and what its firing is taken for.

const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const NOW = new Date("2026-11-21T12:00:00Z");
const POLICY = policyOf(`
limits:
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
probation: { share: 0.25, for: 24h }
`);
const KEY = "guard of spend: totalprice price";
const at = (hour: string, day = "21") => `2026-11-${day}T${hour}:00:00.000Z`;
const counts = (since: string, base: string | null = "1000") => ({ [KEY]: { since, base } });

function decided(changes: Partial<Circumstances>, { value = "1100", reached = "1100.5", limit = "spend" } = {}) {
  const quiet = { state: null, because: null, suspendedAt: null, firstMoment: null, parentSid: `AC${"f".repeat(32)}` };
  const circumstances = { ...quiet, lastReactivatedAt: null, passed: {}, interims: {}, ...changes };
  const fired = { receivedAt: NOW.toISOString(), recurring: "", triggerValue: value, currentValue: reached };
  return decide(firing(ACCOUNT, { ...fired, limit, probation: true }), circumstances, POLICY, NOW).kind;
}

test.each([
  ["of an account that was never brought back", { interims: counts(at("09")) }, "suspend"],
  [
    "of one that was brought back days before",
    { lastReactivatedAt: at("09", "17"), passed: { [KEY]: "200" }, interims: counts(at("09")) },
    "suspend",
  ],
  ["whose value was not read back yet", { interims: counts(at("09"), null) }, "suspend"],
  [
    "whose value was not read back yet, of one that was brought back days before",
    { lastReactivatedAt: at("09", "17"), interims: counts(at("09"), null) },
    "suspend",
  ],
  ["of a period that is over", { interims: counts(at("09", "20")) }, "ignore"],
  [
    "which a reactivation has replaced: it guards nothing any more",
    { lastReactivatedAt: at("09", "20"), passed: { [KEY]: "1050" }, interims: counts(at("08", "20")) },
    "ignore",
  ],
] as const)("a guard %s", (_, circumstances, kind) => {
  expect(decided(circumstances)).toBe(kind);
});

test("an older guard, at less than the whole limit on top, is no news", () => {
  expect(decided({ interims: counts(at("09")) }, { value: "1025", reached: "1026" })).toBe("ignore");
});

test("another limit's name in its address changes nothing: the numbers are Twilio's", () => {
  expect(decided({ interims: counts(at("09")) }, { limit: "warning" })).toBe("suspend");
});

test("the later of a reactivation and an interim count is in force", () => {
  const { spend } = POLICY.limits;
  if (spend === undefined) throw new Error("there is no such limit");
  const known = { lastReactivatedAt: at("09"), passed: { [KEY]: "200" } };
  const [earlier, later] = [counts(at("08")), counts(at("10"))];
  expect(interimOf("spend", spend, { ...known, interims: earlier })).toBeUndefined();
  expect(guardBases(POLICY, { ...known, interims: earlier })).toEqual({ [KEY]: "200" });
  expect(guardBases(POLICY, { ...known, interims: later })).toEqual({ [KEY]: "1000" });
});
