import { describe, expect, test } from "vitest";
import {
  disableVoiceCountries,
  listVoiceCountries,
  stopInheritingVoicePermissions,
} from "../../../lib/twilio/voice-permissions.ts";
import { simulated } from "./simulated.ts";

const at = simulated();
const permissions = () => at.simulator.dialingPermissions(at.account);
const enabled = (flags: object) => Object.values(flags).includes(true);

async function countries() {
  const answer = await listVoiceCountries(at.own(), 2_000);
  if (answer.kind === "failed") throw new Error(answer.failure.message);
  return answer.body;
}

describe("the countries", () => {
  test("are all listed, each with whether any of its numbers may be called", async () => {
    const expected = Object.entries(permissions().countries);
    expect(new Map((await countries()).map(({ isoCode, isEnabled }) => [isoCode, isEnabled]))).toEqual(
      new Map(expected.map(([isoCode, flags]) => [isoCode, enabled(flags)])),
    );
    expect(at.asked()).toMatchObject([{ to: "GET voice", path: "/v1/DialingPermissions/Countries?PageSize=1000" }]);
  });

  test("are read to the last page, whose address is whole", async () => {
    const next = `${at.proxy.url}/voice/v1/DialingPermissions/Countries?PageSize=1000&Page=1&PageToken=x`;
    at.answer(200, { content: [country("AA", "low_risk_numbers_enabled")], meta: { next_page_url: next } });
    at.answer(200, { content: [country("BB")], meta: { next_page_url: null } });
    expect(await countries()).toEqual([
      { isoCode: "AA", isEnabled: true },
      { isoCode: "BB", isEnabled: false },
    ]);
    expect(at.asked().at(-1)?.path).toContain("PageToken=x");
  });

  test.each([
    ["another host", () => "https://evil.example.com/voice/v1/DialingPermissions/Countries"],
    ["another product", () => `${at.proxy.url}/api/v1/DialingPermissions/Countries`],
    ["another product, by a detour", () => `${at.proxy.url}/voice/../api/v1/DialingPermissions/Countries`],
    ["nowhere", () => "page 2"],
  ])("are not read on at %s: the credentials would go there", async (_, next) => {
    at.answer(200, { content: [], meta: { next_page_url: next() } });
    expect(await listVoiceCountries(at.own(), 2_000)).toMatchObject({
      kind: "failed",
      failure: { kind: "retryable", message: expect.stringContaining("another host") },
    });
    expect(at.asked()).toHaveLength(1);
  });

  test.each(["low_risk_numbers_enabled", "high_risk_special_numbers_enabled", "high_risk_tollfraud_numbers_enabled"])(
    "with %s alone may be called",
    async (flag) => {
      at.answer(200, { content: [country("AA", flag)], meta: {} });
      expect(await countries()).toEqual([{ isoCode: "AA", isEnabled: true }]);
    },
  );
});

test("switched off: every kind of number of these countries, and no other country", async () => {
  await stopInheritingVoicePermissions(at.own(), 2_000);
  const before = permissions().countries;
  const off = (await countries()).filter(({ isEnabled }) => isEnabled).slice(0, 2);
  const codes = off.map(({ isoCode }) => isoCode);
  expect(codes).toHaveLength(2);
  expect(await disableVoiceCountries(at.own(), codes, 2_000)).toMatchObject({ kind: "ok", body: { update_count: 2 } });

  const none = { lowRisk: false, highRiskSpecial: false, highRiskTollfraud: false };
  expect(permissions().countries).toEqual({ ...before, ...Object.fromEntries(codes.map((code) => [code, none])) });
  const sent = JSON.parse(at.asked().at(-1)?.form["UpdateRequest"] ?? "");
  expect(sent[0]).toEqual({
    iso_code: codes[0],
    low_risk_numbers_enabled: "false",
    high_risk_special_numbers_enabled: "false",
    high_risk_tollfraud_numbers_enabled: "false",
  });
});

describe("no longer the parent's permissions", () => {
  test("but its own", async () => {
    expect(permissions().inherits).toBe(true);
    expect(await stopInheritingVoicePermissions(at.own(), 2_000)).toMatchObject({ kind: "ok" });
    expect(permissions().inherits).toBe(false);
    expect(at.asked()).toEqual([
      { to: "POST voice", path: "/v1/Settings", form: { DialingPermissionsInheritance: "false" } },
    ]);
  });

  test("is read back where the answer was only that it is accepted", async () => {
    at.proxy.fail({
      times: 1,
      when: "after",
      do: "answer",
      status: 202,
      body: '{"dialing_permissions_inheritance":true}',
    });
    expect(await stopInheritingVoicePermissions(at.own(), 2_000)).toMatchObject({ kind: "ok" });
    expect(at.asked().map(({ to }) => to)).toEqual(["POST voice", "GET voice"]);
  });

  test("is not believed before it reads so", async () => {
    at.answer(202, { dialing_permissions_inheritance: true });
    expect(await stopInheritingVoicePermissions(at.own(), 2_000)).toMatchObject({
      kind: "failed",
      failure: { kind: "retryable", message: expect.stringContaining("still inherits") },
    });
    at.answer(202, {});
    at.answer(500, { code: 20500, message: "no" });
    expect(await stopInheritingVoicePermissions(at.own(), 2_000)).toMatchObject({ failure: { code: 20500 } });
  });
});

test("a suspended account's own credentials are refused", async () => {
  const own = at.own();
  at.simulator.setStatus(at.account, "suspended");
  for (const asked of [
    listVoiceCountries(own, 2_000),
    disableVoiceCountries(own, ["US"], 2_000),
    stopInheritingVoicePermissions(own, 2_000),
  ]) {
    expect(await asked).toMatchObject({ kind: "failed", failure: { kind: "retryable", code: 20003 } });
  }
});

function country(iso_code: string, flag?: string) {
  return { iso_code, ...(flag !== undefined && { [flag]: true }) };
}
