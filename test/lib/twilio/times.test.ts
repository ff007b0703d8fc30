import { afterEach, describe, expect, test } from "vitest";
import { parseTime } from "../../../lib/twilio/times.ts";
import fc from "../../support/fast-check.ts";

const read = (text: string) => parseTime(text)?.toISOString() ?? null;
const noon = "2026-10-04T12:00:00.000Z";

describe("a time", () => {
  test.each([
    // RFC 2822, as Twilio writes its times
    ["Sun, 04 Oct 2026 12:00:00 +0000", noon],
    ["Sun, 4 Oct 2026 12:00:00 +0000", noon],
    ["Sun 04 Oct 2026 12:00:00 +0000", noon],
    ["04 Oct 2026 12:00:00 +0000", noon],
    ["Sun, 04 Oct 2026 12:00 +0000", noon],
    ["Sunday, 04 October 2026 12:00:00", noon],
    ["SUN, 04 OCT 2026 12:00:00 gmt", noon],
    ["Sun, 04 Oct 2026 12:00:00", noon],
    ["  Sun, 04 Oct 2026 12:00:00 +0000\r\n", noon],
    ["Sun, 04 Oct 2026 12:00:00 +0000 (UTC)", noon],
    // ISO 8601
    ["2026-10-04T12:00:00Z", noon],
    ["2026-10-04T12:00:00.000Z", noon],
    ["2026-10-04T12:00:00.123456Z", "2026-10-04T12:00:00.123Z"],
    ["2026-10-04T12:00Z", noon],
    ["2026-10-04T12:00:00", noon],
    ["2026-10-04 12:00:00", noon],
    ["2026-10-04 12:00:00 UTC", noon],
    // offsets
    ["Sun, 04 Oct 2026 14:00:00 +0200", noon],
    ["Sun, 04 Oct 2026 04:00:00 -0800", noon],
    ["2026-10-04T14:00:00+02:00", noon],
    ["2026-10-04T17:30:00+0530", noon],
    ["2026-10-04T14:00:00+02", noon],
    ["2026-10-05T01:00:00+13:00", noon],
    // leap years
    ["Sat, 29 Feb 2028 12:00:00 +0000", "2028-02-29T12:00:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
  ])("%j is %s", (text, expected) => expect(read(text)).toBe(expected));

  test.each([
    ["Z", 0],
    ["UT", 0],
    ["UTC", 0],
    ["GMT", 0],
    ["EDT", -4],
    ["EST", -5],
    ["CDT", -5],
    ["CST", -6],
    ["MDT", -6],
    ["MST", -7],
    ["PDT", -7],
    ["PST", -8],
  ])("at noon in %s it is noon less %i hours in GMT", (zone, hours) => {
    const expected = new Date(Date.parse(noon) - hours * 3600_000).toISOString();
    expect(read(`Sun, 04 Oct 2026 12:00:00 ${zone}`)).toBe(expected);
    expect(read(`2026-10-04 12:00:00 ${zone.toLowerCase()}`)).toBe(expected);
  });
});

test.each([
  // zones that may be any of several, or none
  ...["CET", "CEST", "IST", "BST", "MEZ", "PT", "A", "AM", "PM"].map((zone) => `Sun, 04 Oct 2026 11:00:00 ${zone}`),
  ...["+2", "+200", "+24:00", "+0060", "-9999", "GMT+0200", "(CET)", "(GMT)"].map(
    (zone) => `Sun, 04 Oct 2026 12:00:00 ${zone}`,
  ),
  // a clock of 12 hours
  "Sun, 04 Oct 2026 12:00 PM",
  "2026-10-04 01:00:00 pm",
  // years of two digits
  "Sun, 04 Oct 26 12:00:00 +0000",
  "26-10-04T12:00:00Z",
  // what no calendar and no clock has
  "31 Feb 2026 12:00:00 +0000",
  "29 Feb 2026 12:00:00 +0000",
  "31 Apr 2026 12:00:00 +0000",
  "Sun, 32 Oct 2026 12:00:00 +0000",
  "00 Oct 2026 12:00:00 +0000",
  "2026-02-31T12:00:00Z",
  "2026-13-04T12:00:00Z",
  "2026-00-04T12:00:00Z",
  "2026-10-04T24:00:00Z",
  "2026-10-04T25:00:00Z",
  "2026-10-04T12:60:00Z",
  "2026-10-04T12:00:60Z",
  "04 Okt 2026 12:00:00 +0000",
  "04 Octob 2026 12:00:00 +0000",
  // a day without its hour would make a firing look older than it is
  "2026-10-04",
  "Sun, 04 Oct 2026",
  // no time at all, though JavaScript's parser makes one of some of them
  ...["", "yesterday", "1", "1759579200", "12:00:00", "Trigger 5", "04/10/2026 12:00", "2026-10-04T12:00:00Zulu"],
])("%j is no time", (text) => expect(read(text)).toBeNull());

describe("on a machine in another time zone", () => {
  const zone = process.env["TZ"];
  afterEach(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });
  test.each(["Sun, 04 Oct 2026 12:00:00", "2026-10-04 12:00:00", "2026-10-04T12:00:00"])("%j is in GMT", (text) => {
    process.env["TZ"] = "Pacific/Auckland";
    expect(read(text)).toBe(noon);
  });
});

const moment = fc.date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true });

test("whatever moment is written in whichever offset is read back to the second", () => {
  const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
  fc.assert(
    fc.property(moment, offset, fc.boolean(), (time, minutes, asRfc) => {
      const second = new Date(Math.floor(time.getTime() / 1000) * 1000);
      const local = new Date(second.getTime() + minutes * 60_000);
      const [hh, mm] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
        String(n).padStart(2, "0"),
      );
      const zone = `${minutes < 0 ? "-" : "+"}${hh}${asRfc ? "" : ":"}${mm}`;
      const text = asRfc ? local.toUTCString().replace("GMT", zone) : local.toISOString().replace(".000Z", zone);
      expect(parseTime(text)).toEqual(second);
    }),
  );
});

test("what is read as a time says so: it has its year in four digits and its day", () => {
  const parts = fc.constantFrom(..."0123456789 :+-,.TZ()", "Oct", "Feb", "GMT", "2026", "-10-", "12:00", "PM", "Sun, ");
  const text = fc.oneof(
    fc.array(parts, { maxLength: 12 }).map((all) => all.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (text) => {
      const time = parseTime(text);
      if (time === null) return;
      const year = Number(/\d{4}/.exec(text)?.[0]);
      // An offset moves it by less than a day.
      expect(Math.abs(time.getUTCFullYear() - year)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1000 },
  );
});
