import { expect, test } from "vitest";
import { describeFailure, failureOf, isRefusal, noAnswer, withCode } from "../../../lib/twilio/failures.ts";
import fc from "../../support/fast-check.ts";

const twilios = (status: number, code: number) => failureOf(status, { code, message: "why", more_info: "", status });

test.each([
  // Final: the reason stands beside each code in failures.ts.
  [400, 21475, "terminal"],
  [400, 21477, "terminal"],
  [400, 21478, "already-contained"],
  [400, 21479, "already-contained"],
  [404, 20404, "not-found"],
  // All of these can pass: a rotated token, a parent that is suspended for an hour, a service that is out.
  [401, 20003, "retryable"],
  [403, 20003, "retryable"],
  [400, 20005, "retryable"],
  [403, 20008, "retryable"],
  [403, 20403, "retryable"],
  [429, 20429, "retryable"],
  [500, 20500, "retryable"],
  [503, 20503, "retryable"],
  [400, 10001, "retryable"],
  [400, 21476, "retryable"],
  [403, 70051, "retryable"],
  [400, 90010, "retryable"],
  [400, 12345, "retryable"],
  [404, 12345, "retryable"],
  // The code decides: the status of a refused status update is not documented.
  [409, 21477, "terminal"],
] as const)("HTTP %i with code %i is %s", (status, code, kind) => {
  expect(twilios(status, code)).toEqual({ kind, code, status, message: "why" });
});

/** What a proxy, a gateway or half an answer may say. */
const NOT_TWILIOS: readonly unknown[] = [
  ...[undefined, null, "text", 5, [], {}, { message: "" }, [{ code: 21477 }]],
  ...[{ code: "21477" }, { code: null }, { code: 21477.5 }, { code: [21477] }, { error: { code: 21477 } }],
  // Twilio names the status that it answers with.
  ...[
    { code: 21477, status: 599 },
    { code: 20404, status: "404" },
    { code: 21478, status: null },
  ],
];

test.each([301, 400, 401, 403, 404, 405, 408, 410, 413, 421, 429, 451, 500, 502, 504])(
  "HTTP %i is never final, nor a refusal, without Twilio's own JSON",
  (status) => {
    for (const body of NOT_TWILIOS) {
      const failure = failureOf(status, body);
      expect(failure).toEqual({ kind: "retryable", code: null, status, message: `HTTP ${status}` });
      expect(isRefusal(failure)).toBe(false);
    }
  },
);

test("whatever comes: final only with one of the codes that were defended", () => {
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
  const code = fc.oneof(fc.constantFrom(21475, 21477, 21478, 21479, 20404, 20003), fc.integer(), json);
  const own = fc.record({ code, message: json, status: fc.oneof(fc.constantFrom(400, 403, 404), json) });
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), fc.oneof(json, own), (status, body) => {
      const { kind, code: found } = failureOf(status, body);
      expect(kind === "retryable" || [21475, 21477, 21478, 21479, 20404].includes(found ?? 0)).toBe(true);
      if (found !== null) expect(body).toHaveProperty("code", found);
    }),
  );
});

test.each([
  [401, 20003, true],
  [404, 20404, true],
  [400, 21477, true],
  [400, 12345, true],
  [429, 20429, false],
  [408, 20408, false],
  [500, 20500, false],
  [503, 20003, false],
] as const)("HTTP %i with code %i: Twilio itself said no: %s", (status, code, expected) => {
  expect(isRefusal(twilios(status, code))).toBe(expected);
});

test("no answer is no refusal", () => expect(isRefusal(noAnswer("cut"))).toBe(false));

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
