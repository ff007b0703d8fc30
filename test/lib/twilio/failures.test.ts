import { expect, test } from "vitest";
import { describeFailure, failureOf, noAnswer, withCode } from "../../../lib/twilio/failures.ts";

test.each([
  [401, 20003, "terminal"],
  [403, 20003, "terminal"],
  [400, 20005, "terminal"],
  [403, 20008, "terminal"],
  [403, 20403, "terminal"],
  [404, 20404, "not-found"],
  [429, 20429, "retryable"],
  [500, 20500, "retryable"],
  [503, 20503, "retryable"],
  [400, 10001, "terminal"],
  [400, 21475, "terminal"],
  [400, 21476, "terminal"],
  [400, 21477, "terminal"],
  [400, 21478, "already-contained"],
  [400, 21479, "already-contained"],
  [403, 70051, "terminal"],
  [400, 90010, "terminal"],
  // The code decides, whatever the status.
  [500, 21478, "already-contained"],
  [200, 20404, "not-found"],
  // A code that is not known: the status decides.
  [429, 99999, "retryable"],
  [400, 12345, "terminal"],
] as const)("HTTP %i with code %i is %s", (status, code, kind) => {
  expect(failureOf(status, { code, message: "why", status })).toEqual({ kind, code, status, message: "why" });
});

test.each([
  [400, "terminal"],
  [401, "terminal"],
  [404, "not-found"],
  [408, "retryable"],
  [429, "retryable"],
  [500, "retryable"],
  [502, "retryable"],
  [504, "retryable"],
  [301, "terminal"],
] as const)("HTTP %i without a code is %s", (status, kind) => {
  for (const body of [undefined, null, "text", 5, [], {}, { code: "20404" }, { code: null, message: "" }]) {
    expect(failureOf(status, body)).toEqual({ kind, code: null, status, message: `HTTP ${status}` });
  }
});

test("in words", () => {
  const refused = failureOf(400, { code: 21476, message: "Parent account is suspended" });
  expect(describeFailure(refused)).toBe("Twilio error 21476 (HTTP 400): Parent account is suspended");
  expect(describeFailure(failureOf(502, undefined))).toBe("Twilio (HTTP 502): HTTP 502");
  expect(describeFailure(noAnswer("no answer in time"))).toBe("Twilio: no answer in time");
});

test("what was recorded of one names its code once", () => {
  const recorded = describeFailure(failureOf(404, { code: 20404, message: "was not found" }));
  expect(withCode(recorded, 20404)).toBe("Twilio error 20404 (HTTP 404): was not found");
  expect(withCode("Authenticate", 20003)).toBe("Authenticate (Twilio error 20003)");
  expect(withCode("no answer in time", null)).toBe("no answer in time");
});
