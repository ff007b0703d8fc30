import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { apiOf, type Credentials, quietSimulator, send, subaccount } from "./api.ts";

const COUNTRIES = "/v1/DialingPermissions/Countries";
const BULK = "/v1/DialingPermissions/BulkCountryUpdates";

let simulator: TwilioSimulator;
let sub: Credentials;
beforeEach(async () => {
  simulator = await quietSimulator();
  sub = subaccount(simulator);
});
afterEach(() => simulator.close());

const country = async (code: string, as: Credentials = sub) =>
  (await apiOf(simulator, as).get(`${COUNTRIES}/${code}`)).body;
const update = (updates: unknown, as: Credentials = sub) =>
  apiOf(simulator, as).post(BULK, { UpdateRequest: JSON.stringify(updates) });
const inherit = (value: string) => apiOf(simulator, sub).post("/v1/Settings", { DialingPermissionsInheritance: value });

interface Page {
  content: { iso_code: string }[];
  meta: { next_page_url: string | null };
}

const OPEN = {
  low_risk_numbers_enabled: true,
  high_risk_special_numbers_enabled: true,
  high_risk_tollfraud_numbers_enabled: true,
};
const SHUT = {
  low_risk_numbers_enabled: false,
  high_risk_special_numbers_enabled: false,
  high_risk_tollfraud_numbers_enabled: false,
};
const asTexts = (flags: typeof SHUT) =>
  Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, String(value)]));

describe("the countries", () => {
  it("are some forty, those of toll fraud among them, by whole next_page_urls", async () => {
    const seen: string[] = [];
    let next: string | null = `${COUNTRIES}?PageSize=20`;
    while (next !== null) {
      const { content, meta }: Page = (await apiOf(simulator, sub).get(next)).body;
      seen.push(...content.map((one) => one.iso_code));
      if (meta.next_page_url !== null) expect(meta.next_page_url).toContain(`${simulator.url}/voice${COUNTRIES}?`);
      next = meta.next_page_url?.replace(`${simulator.url}/voice`, "") ?? null;
    }
    expect(seen.length).toBeGreaterThanOrEqual(40);
    expect(new Set(seen).size).toBe(seen.length);
    const fraud = ["LV", "LT", "RS", "SO", "CG", "CD", "TD", "GM", "SL", "GN", "MV", "JM", "NR"];
    expect(seen).toEqual(expect.arrayContaining(["US", "GB", ...fraud]));
  });

  it("are filtered", async () => {
    const codes = async (query: string) =>
      (await apiOf(simulator, sub).get(`${COUNTRIES}?${query}`)).body.content.map(
        (one: { iso_code: string }) => one.iso_code,
      );
    expect(await codes("IsoCode=LV")).toEqual(["LV"]);
    expect(await codes("CountryCode=%2B44")).toEqual(["GB"]);
    expect(await codes("Continent=OCEANIA&HighRiskTollfraudNumbersEnabled=false")).toEqual(["AU", "NZ"]);
    expect(await codes("LowRiskNumbersEnabled=false")).toEqual([]);
  });

  it("are each read by their ISO code; an unknown one answers 20404", async () => {
    expect(await country("LV")).toMatchObject({ iso_code: "LV", name: "Latvia", country_codes: ["+371"], ...OPEN });
    expect(await country("US")).toMatchObject({
      name: "United States/Canada",
      high_risk_tollfraud_numbers_enabled: false,
    });
    expect((await apiOf(simulator, sub).get(`${COUNTRIES}/XX`)).body.code).toBe(20404);
  });
});

describe("an account that inherits", () => {
  it("is every subaccount at first, and goes by its parent's permissions", async () => {
    expect((await apiOf(simulator, sub).get("/v1/Settings")).body).toMatchObject({
      dialing_permissions_inheritance: true,
      url: `${simulator.url}/voice/v1/Settings`,
    });
    await update([{ iso_code: "LV", ...asTexts(SHUT) }], simulator.parent());
    expect(await country("LV")).toMatchObject(SHUT);
  });

  it("keeps its own changes until it stops inheriting", async () => {
    expect(await update([{ iso_code: "LV", ...SHUT }])).toMatchObject({ status: 201, body: { update_count: 1 } });
    expect(await country("LV")).toMatchObject(OPEN);
    expect(await inherit("false")).toMatchObject({ status: 202, body: { dialing_permissions_inheritance: false } });
    expect(await country("LV")).toMatchObject(SHUT);
    await inherit("true");
    expect(await country("LV")).toMatchObject(OPEN);
  });
});

describe("an account of its own", () => {
  beforeEach(() => inherit("false"));

  it("changes many countries at once, its parent and siblings none", async () => {
    const codes = Object.keys(simulator.dialingPermissions(sub.accountSid).countries).filter((code) => code !== "US");
    const { body } = await update(codes.map((iso_code) => ({ iso_code, ...asTexts(SHUT) })));
    expect(body.update_count).toBe(codes.length);
    const open = await apiOf(simulator, sub).get(`${COUNTRIES}?LowRiskNumbersEnabled=true`);
    expect(open.body.content).toMatchObject([{ iso_code: "US" }]);
    for (const other of [simulator.parent(), subaccount(simulator, 1)]) {
      expect(await country("LV", other)).toMatchObject(OPEN);
    }
  });

  it("leaves what an update does not name as it is", async () => {
    await update([{ iso_code: "LV", high_risk_tollfraud_numbers_enabled: "false" }]);
    expect(await country("LV")).toMatchObject({ ...OPEN, high_risk_tollfraud_numbers_enabled: false });
    await update([{ iso_code: "LV", low_risk_numbers_enabled: false }]);
    const { countries } = simulator.dialingPermissions(sub.accountSid);
    expect(countries["LV"]).toEqual({ lowRisk: false, highRiskSpecial: true, highRiskTollfraud: false });
  });

  const invalid = {
    "that is no JSON": "LV",
    "that is no list": '{"iso_code":"LV"}',
    "with an unknown country": '[{"iso_code":"LV","low_risk_numbers_enabled":"false"},{"iso_code":"XX"}]',
    "with a permission that is none": '[{"iso_code":"LV","low_risk_numbers_enabled":"no"}]',
  };
  for (const [what, UpdateRequest] of Object.entries(invalid)) {
    it(`is refused an update ${what}, as a whole`, async () => {
      expect((await apiOf(simulator, sub).post(BULK, { UpdateRequest })).status).toBe(400);
      expect(await country("LV")).toMatchObject(OPEN);
    });
  }
});

describe("a call to a country", () => {
  const toLatvia = { kind: "toll-fraud", calls: 5, callsPerSecond: 5 } as const;

  it("is refused once all of its numbers are shut off, and costs nothing", async () => {
    await inherit("false");
    await update([{ iso_code: "LV", ...asTexts(SHUT) }]);
    const report = simulator.startAttack(sub.accountSid, toLatvia);
    simulator.advance(2_000);
    expect(report).toMatchObject({ accepted: 0 });
    expect(report.refused).toBeGreaterThan(0);
    expect(simulator.account(sub.accountSid)).toMatchObject({ liveCalls: 0, spentToday: 0 });
  });

  it("goes through while any of them are open, whatever is shut elsewhere", async () => {
    await inherit("false");
    await update(["US", "EE"].map((iso_code) => ({ iso_code, ...asTexts(SHUT) })));
    await update([{ iso_code: "LV", low_risk_numbers_enabled: "false" }]);
    const report = simulator.startAttack(sub.accountSid, toLatvia);
    simulator.advance(2_000);
    expect(report).toMatchObject({ accepted: 5, refused: 0 });
  });

  it("in the Caribbean is none to the United States, whose code it shares", async () => {
    await inherit("false");
    await update([{ iso_code: "US", ...asTexts(SHUT) }]);
    const report = simulator.startAttack(sub.accountSid, { ...toLatvia, prefix: "+1876555" });
    simulator.advance(2_000);
    expect(report).toMatchObject({ accepted: 5, refused: 0 });
  });
});

it("the parent has nobody to inherit from", async () => {
  const answer = await apiOf(simulator).post("/v1/Settings", { DialingPermissionsInheritance: "true" });
  expect(answer.body.dialing_permissions_inheritance).toBe(false);
  expect((await apiOf(simulator).post("/v1/Settings", {})).status).toBe(202);
});

it("an inheritance that is neither true nor false is refused", async () => {
  const settings = (DialingPermissionsInheritance: string) =>
    send(simulator, sub, "POST", "/v1/Settings", { DialingPermissionsInheritance });
  expect((await settings("perhaps")).status).toBe(400);
  expect(simulator.dialingPermissions(sub.accountSid).inherits).toBe(true);
  // As Twilio's own walk-through writes it.
  expect((await settings("False")).body).toMatchObject({ dialing_permissions_inheritance: false });
});
