import { describe, expect, it } from "vitest";
import { problemResponse, together } from "../../../lib/http/problem.ts";

const mistake = (code: string, fix = `mend ${code}`) => ({ code, detail: `${code} is wrong.`, got: code, fix });

describe("together", () => {
  it("is nothing for nothing, and the one for one", () => {
    expect(together([])).toBeUndefined();
    expect(together([mistake("a")])).toEqual(mistake("a"));
  });

  it("names several in one sentence each, and each by itself", () => {
    expect(together([mistake("a"), mistake("b", "mend a"), { code: "c", detail: "c is wrong." }])).toEqual({
      code: "a",
      detail: "a is wrong. b is wrong. c is wrong.",
      got: "a; b",
      fix: "mend a",
      errors: [mistake("a"), mistake("b", "mend a"), { code: "c", detail: "c is wrong." }],
    });
  });

  it("stops at ten, and says so", () => {
    const all = together(Array.from({ length: 25 }, (_, index) => mistake(`m${index}`)));
    expect(all?.errors).toHaveLength(10);
    expect(all?.detail).toMatch(/m9 is wrong\. And 15 more\.$/);
  });
});

describe("problemResponse", () => {
  it("carries a problem's own members beside those of RFC 9457", async () => {
    const problem = {
      status: 409,
      code: "state-conflict",
      title: "Not now",
      detail: "It is open.",
      state: "open",
    } as const;
    const response = problemResponse(problem, { Allow: "POST" });
    expect([response.status, response.headers.get("content-type")]).toEqual([409, "application/problem+json"]);
    expect([response.headers.get("cache-control"), response.headers.get("allow")]).toEqual(["no-store", "POST"]);
    expect(await response.json()).toEqual({ type: "urn:problem-type:tollbreaker:state-conflict", ...problem });
  });
});
