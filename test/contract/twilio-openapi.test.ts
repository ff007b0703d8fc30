import { describe, expect, it } from "vitest";
import { assertAnswer, assertRequest } from "./twilio-openapi.ts";

const AC = `AC${"a".repeat(32)}`;
const account = {
  auth_token: "t",
  date_created: "Thu, 30 Jul 2015 20:00:00 +0000",
  date_updated: "Thu, 30 Jul 2015 20:00:00 +0000",
  friendly_name: null,
  owner_account_sid: AC,
  sid: AC,
  status: "active",
  subresource_uris: {},
  type: "Full",
  uri: `/2010-04-01/Accounts/${AC}.json`,
};
const path = `/2010-04-01/Accounts/${AC}.json`;

describe("an answer", () => {
  it("as Twilio documents it passes, with null where it may be", () => {
    assertAnswer("GET", path, 200, account);
  });

  const faults = [
    ["a status that is none", { ...account, status: "paused" }, /status must be equal/],
    ["a malformed SID", { ...account, sid: "AC1" }, /sid must/],
    ["an ISO date", { ...account, date_created: "2015-07-30T20:00:00Z" }, /date-time-rfc-2822/],
    ["a field too many", { ...account, balance: 1 }, /additional properties/],
    ["a field too few", { ...account, type: undefined }, /type/],
    ["null for an enum that has none", { ...account, status: null }, /status must/],
  ] as const;
  for (const [what, body, message] of faults) {
    it(`with ${what} fails`, () => expect(() => assertAnswer("GET", path, 200, body)).toThrow(message));
  }

  it("in a list is checked as well", () => {
    const uri = "/2010-04-01/Accounts.json?PageSize=50&Page=0";
    const frame = { uri, first_page_uri: uri, next_page_uri: null, previous_page_uri: null };
    const page = { ...frame, page: 0, page_size: 50, start: 0, end: 0 };
    assertAnswer("GET", "/2010-04-01/Accounts.json", 200, { ...page, accounts: [account] });
    const bad = { ...page, accounts: [{ ...account, sid: "no" }] };
    expect(() => assertAnswer("GET", "/2010-04-01/Accounts.json", 200, bad)).toThrow(/accounts\/0\/sid/);
  });

  it("with a status that the operation has not, a body where there is none, or a broken error fails", () => {
    expect(() => assertAnswer("GET", path, 201, account)).toThrow(/no answer 201/);
    const trigger = `/2010-04-01/Accounts/${AC}/Usage/Triggers/UT${"a".repeat(32)}.json`;
    expect(() => assertAnswer("DELETE", trigger, 204, {})).toThrow(/sends none/);
    expect(() => assertAnswer("GET", path, 404, { code: 20404, message: "no" })).toThrow(/more_info/);
  });
});

describe("an answer of the Events API", () => {
  const DG = `DG${"a".repeat(32)}`;
  const sink = {
    sid: DG,
    description: "d",
    sink_type: "webhook",
    sink_configuration: { destination: "https://example.com/", method: "POST", batch_events: false },
    status: "active",
    date_created: "2026-10-04T12:00:00Z",
    date_updated: "2026-10-04T12:00:00Z",
    url: `https://events.twilio.com/v1/Sinks/${DG}`,
    links: {},
  };

  it("as Twilio documents it passes, and with a status that is none it fails", () => {
    assertAnswer("GET", `/v1/Sinks/${DG}`, 200, sink);
    const bad = { ...sink, status: "validated" };
    expect(() => assertAnswer("GET", `/v1/Sinks/${DG}`, 200, bad)).toThrow(/status must/);
  });

  it("needs each field of a list's frame", () => {
    const meta = { key: "sinks", page: 0, page_size: 50, url: sink.url, first_page_url: sink.url };
    const page = { sinks: [sink], meta: { ...meta, next_page_url: null, previous_page_url: null } };
    assertAnswer("GET", "/v1/Sinks", 200, page);
    expect(() => assertAnswer("GET", "/v1/Sinks", 200, { ...page, meta })).toThrow(/next_page_url/);
  });
});

describe("an answer about what an account has", () => {
  const [SK, PN] = [`SK${"a".repeat(32)}`, `PN${"a".repeat(32)}`];
  const dates = { date_created: account.date_created, date_updated: account.date_updated };

  it("shows the secret of a key when it is made, and only then", () => {
    const key = { sid: SK, friendly_name: "", ...dates };
    const keys = `/2010-04-01/Accounts/${AC}/Keys`;
    assertAnswer("GET", `${keys}/${SK}.json`, 200, key);
    assertAnswer("POST", `${keys}.json`, 201, { ...key, secret: "s" });
    const shown = () => assertAnswer("GET", `${keys}/${SK}.json`, 200, { ...key, secret: "s" });
    expect(shown).toThrow(/additional properties/);
    expect(() => assertAnswer("POST", `${keys}.json`, 201, key)).toThrow(/secret/);
  });

  it("has the settings of a number empty or null, but no URL that is none", () => {
    const number = {
      ...{ sid: PN, account_sid: AC, friendly_name: "n", phone_number: "+12125550100", ...dates },
      ...{ voice_url: "", voice_fallback_url: null, sms_url: "", sms_fallback_url: "", status_callback: "" },
      ...{ voice_method: "POST", voice_fallback_method: "POST", sms_method: "POST", sms_fallback_method: "GET" },
      ...{ status_callback_method: "POST", voice_application_sid: "", sms_application_sid: "", trunk_sid: null },
      ...{ api_version: "2010-04-01", beta: false, origin: "twilio", status: "in-use", voice_caller_id_lookup: false },
      ...{ capabilities: { voice: true, sms: true, mms: true, fax: false }, voice_receive_mode: "voice" },
      ...{ address_requirements: "none", address_sid: null, identity_sid: null, bundle_sid: null, uri: "u" },
      ...{ emergency_status: "Active", emergency_address_sid: null, emergency_address_status: "registered" },
    };
    const at = `/2010-04-01/Accounts/${AC}/IncomingPhoneNumbers/${PN}.json`;
    assertAnswer("GET", at, 200, number);
    const faults = [
      { voice_url: "example" },
      { voice_method: "" },
      { voice_application_sid: "AP1" },
      { trunk_sid: "" },
      { capabilities: { voice: true } },
    ];
    for (const fault of faults) expect(() => assertAnswer("GET", at, 200, { ...number, ...fault })).toThrow(/OpenAPI/);
  });

  it("is checked for the Accounts and the Voice API as well", () => {
    const url = "https://voice.twilio.com/v1/Settings";
    assertAnswer("POST", "/v1/Settings", 202, { dialing_permissions_inheritance: false, url });
    const text = () => assertAnswer("GET", "/v1/Settings", 200, { dialing_permissions_inheritance: "false", url });
    expect(text).toThrow(/must be boolean/);
    const token = { account_sid: AC, auth_token: "t", date_created: "2026-10-04T12:00:00Z", date_updated: null, url };
    assertAnswer("POST", "/v1/AuthTokens/Promote", 200, token);
    expect(() => assertAnswer("POST", "/v1/AuthTokens/Promote", 201, token)).toThrow(/no answer 201/);
    expect(() => assertAnswer("POST", "/v1/AuthTokens/Secondary", 201, token)).toThrow(/secondary_auth_token/);
  });
});

describe("a request", () => {
  const triggers = `/2010-04-01/Accounts/${AC}/Usage/Triggers.json`;
  const number = `/2010-04-01/Accounts/${AC}/IncomingPhoneNumbers/PN${"a".repeat(32)}.json`;
  const trigger = { CallbackUrl: "https://example.com/", TriggerValue: "+30", UsageCategory: "sms" };

  it("as Twilio documents it passes", () => {
    assertRequest("GET", "/2010-04-01/Accounts.json?Status=suspended&PageSize=1000");
    assertRequest("POST", path, { Status: "suspended" });
    assertRequest("POST", number, { VoiceUrl: "", SmsUrl: "https://example.com/", TrunkSid: "", VoiceMethod: "GET" });
    assertRequest("POST", "/v1/Settings", { DialingPermissionsInheritance: "false" });
    assertRequest("GET", "/v1/DialingPermissions/Countries?PageSize=1000&LowRiskNumbersEnabled=true");
    assertRequest("POST", "/v1/AuthTokens/Promote");
    assertRequest("POST", triggers, { ...trigger, Recurring: "" });
    assertRequest("GET", `/2010-04-01/Accounts/${AC}/Usage/Records/Today.json?Category=sms`);
  });

  const faults = [
    ["a number's URL that is none", "POST", number, { VoiceUrl: "example" }],
    ["a number's method empty", "POST", number, { VoiceMethod: "" }],
    ["a country update without countries", "POST", "/v1/DialingPermissions/BulkCountryUpdates", {}],
    ["an account for a token that belongs to the caller", "POST", "/v1/AuthTokens/Secondary", { AccountSid: AC }],
    ["a country of three letters", "GET", "/v1/DialingPermissions/Countries/LVA", {}],
    ["an unknown query parameter", "GET", "/2010-04-01/Accounts.json?status=active", {}],
    ["too large a page", "GET", "/2010-04-01/Accounts.json?PageSize=1001", {}],
    ["an unknown form parameter", "POST", path, { status: "suspended" }],
    ["a value outside its enum", "POST", path, { Status: "paused" }],
    ["a required parameter missing", "POST", triggers, { TriggerValue: "1", UsageCategory: "sms" }],
    ["a malformed SID in the path", "GET", "/2010-04-01/Accounts/AC1.json", {}],
    ["a path that is none", "GET", "/2010-04-01/Nothing.json", {}],
    ["a method that the path has not", "DELETE", "/2010-04-01/Accounts.json", {}],
    ["a form on a GET", "GET", path, { Status: "suspended" }],
    [
      "a sink of a type that is none",
      "POST",
      "/v1/Sinks",
      { Description: "d", SinkConfiguration: "{}", SinkType: "x" },
    ],
    ["a subscription without types", "POST", "/v1/Subscriptions", { Description: "d", SinkSid: `DG${"a".repeat(32)}` }],
  ] as const;
  for (const [what, method, to, form] of faults) {
    it(`with ${what} fails`, () => expect(() => assertRequest(method, to, form)).toThrow(/OpenAPI/));
  }
});
