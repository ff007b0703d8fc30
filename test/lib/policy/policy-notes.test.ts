import { expect, test } from "vitest";
import { readPolicy } from "../../../lib/policy/policy-file.ts";
import { notesOn } from "../../../lib/policy/policy-notes.ts";

const notes = (text: string, now = "2027-01-31T23:59:59.999Z") =>
  notesOn(readPolicy(text, "policy.yml"), new Date(now));
const SID = "AC0123456789abcdef0123456789abcdef";
const SPEND = "spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }";

test("a plain policy needs no note", () => {
  expect(notes(`limits: { ${SPEND} }\nexempt: [ { account: ${SID}, why: x, until: 2027-01-31 } ]`)).toEqual([]);
});

test("observe mode is noted", () => {
  expect(notes(`mode: observe\nlimits: { ${SPEND} }`)).toEqual(["mode is observe: nothing is suspended."]);
});

test("a policy without limits is noted", () => {
  expect(notes("mode: enforce")).toEqual(["There are no limits: no usage trigger watches the subaccounts."]);
});

test("limits that only alert are noted", () => {
  expect(notes(`limits: { ${SPEND.replace("suspend }", "alert }")} }`)).toEqual([
    "No limit suspends: each one only alerts.",
  ]);
});

test("a category that Twilio's list does not have is noted, in a limit and in a confirmation", () => {
  const text = `limits: { ${SPEND}, texts: { category: sms-outbond, by: count, every: day, at: 5, then: alert } }
errors: { x: { codes: [30450], count: 5, within: 5m, then: suspend, confirm: { category: quantum-fax, by: price, at: 1 } } }`;
  expect(notes(text)).toEqual([
    "limits.texts: Twilio's list of categories has no sms-outbond. Did you mean sms-outbound?",
    "errors.x.confirm: Twilio's list of categories has no quantum-fax. It may be newer than the list.",
  ]);
});

test("a warning behind the suspension is noted; values are compared as numbers", () => {
  const warn = (at: string) => `late: { category: totalprice, by: price, every: day, at: ${at}, then: alert }`;
  expect(notes(`limits: { ${SPEND}, ${warn("1000")} }`)).toEqual([
    "limits.late warns at 1000, after spend has suspended at 100.",
  ]);
  expect(notes(`limits: { ${SPEND}, ${warn("99.5")} }`)).toEqual([]);
});

test("a limit by the hour that the day's suspension forestalls is noted", () => {
  const watched = (least: string) =>
    `hourly: { category: totalprice, by: price, every: hour, at: ${least}, then: suspend },
     spike: { category: totalprice, by: price, spike: { times: 8, over: 7d, at-least: ${least} }, then: suspend }`;
  expect(notes(`limits: { ${SPEND}, ${watched("100")} }`)).toEqual([
    "limits.hourly needs 100 in an hour, and spend suspends at 100 in a day.",
    "limits.spike needs 100 in an hour, and spend suspends at 100 in a day.",
  ]);
  expect(notes(`limits: { ${SPEND}, ${watched("99.9")} }`)).toEqual([]);
});

test("what the sweep watches counts as a limit that suspends, and its category is looked up", () => {
  const text = (category: string) => `limits:
  warn: { category: ${category}, by: count, every: day, at: 100, then: alert }
  hourly: { category: ${category}, by: rate, of: count, at: 10, then: suspend }`;
  expect(notes(text("sms"))).toEqual([]);
  expect(notes(text("sms-outbond"))).toContain(
    "limits.hourly: Twilio's list of categories has no sms-outbond. Did you mean sms-outbound?",
  );
});

test("a confirmation that nobody asks is noted", () => {
  const rule = "{ codes: [30450], count: 5, within: 5m, then: alert, confirm: { category: sms, by: price, at: 1 } }";
  expect(notes(`limits: { ${SPEND} }\nerrors: { x: ${rule} }`)).toEqual([
    "errors.x.confirm is not asked: the rule only alerts.",
  ]);
});

test("a SID in capitals is noted: it would not protect its account", () => {
  const capital = SID.toUpperCase();
  expect(notes(`limits: { ${SPEND} }\nexempt: [ { account: ${capital}, why: x } ]`)).toEqual([
    `${capital} has capital letters. Twilio writes SIDs in small ones: copy it from the Console.`,
  ]);
});

test("an exemption is noted from the first moment after its last day, in GMT", () => {
  const text = `limits: { ${SPEND} }\nexempt: [ { account: ${SID}, why: x, until: 2027-01-31 } ]`;
  expect(notes(text, "2027-02-01T00:00:00.000Z")).toEqual([`The exemption of ${SID} ended with 2027-01-31.`]);
});
