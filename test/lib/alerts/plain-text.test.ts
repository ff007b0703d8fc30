import { describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { nameOf } from "../../../lib/alerts/facts.ts";
import { notice } from "../../../lib/alerts/notice.ts";
import { ascii, defanged, oneLine } from "../../../lib/alerts/plain-text.ts";
import { slackMessage } from "../../../lib/alerts/slack-message.ts";
import fc from "../../support/fast-check.ts";
import { examples, incident, SID, smsTrip } from "./examples.ts";

/** What mail clients, phones and Slack make links of: the dots and colons that browsers take for one count, too. */
const LINKS: readonly RegExp[] = [
  /[a-z][a-z0-9+.-]*:[/\\]/iu,
  /(?<![\p{L}\p{Nd}])(https?|ftp|javascript|data|mailto|tel|sms|sip|callto|skype|vbscript|file):[^\s\]]/iu,
  /[\p{L}\p{N}_-]\.\p{L}{2,}/u,
  /www\.[\p{L}\p{N}]/iu,
  /[^\s@[\]]@[\p{L}\p{N}_[-]/u,
  /\d+\.\d+\.\d+\.\d+/,
  /\+\d{7,}/,
  /\(?\d{3}\)?[ -]\d{3}[ -]\d{4}/,
];

function assertNoLink(text: string): void {
  const seen = text
    .replace(/[。．｡․﹒]/g, ".")
    .replace(/[：﹕]/g, ":")
    .replace(/[＠﹫]/g, "@");
  for (const link of LINKS) expect(seen).not.toMatch(link);
}

describe("text that others chose", () => {
  it.each([
    ["https://evil.com/x?y=1", "hxxps[:]//evil[.]com/x?y=1"],
    ["HTTP://evil.com", "hxxp[:]//evil[.]com"],
    ["http:\\\\evil", "hxxp[:]\\\\evil"],
    ["ftp://1.2.3.4/x", "ftp[:]//1[.]2[.]3[.]4/x"],
    ["//evil.com", "//evil[.]com"],
    ["javascript:alert(1)", "javascript[:]alert(1)"],
    ["www.evil.com", "www[.]evil[.]com"],
    ["www.4", "www[.]4"],
    ["evil.com, evil.co.uk.", "evil[.]com, evil[.]co[.]uk."],
    ["login.twilio.com.evil.zip", "login[.]twilio[.]com[.]evil[.]zip"],
    ["xn--80ak6aa92e.com", "xn--80ak6aa92e[.]com"],
    ["аррӏе.com", "аррӏе[.]com"],
    ["例え。テスト", "例え[.]テスト"],
    ["evil．com evil｡com evil․com", "evil[.]com evil[.]com evil[.]com"],
    ["evil\u200b.com", "evil .com"],
    ["a@evil.com", "a[@]evil[.]com"],
    ["mailto:a@localhost", "mailto[:]a[@]localhost"],
    ["localhost:8080", "localhost[:]8080"],
    ["tel:+18005550100", "tel[:]+1800…"],
    ["Twilio Support +1 (800) 555-0100", "Twilio Support +1800…"],
    ["(800) 555-0100, 0800 123 45 67", "8005…, 0800…"],
    ["800.555.0100", "8005…"],
    ["[x](evil.com) <evil.com|Acme>", "[x](evil[.]com) <evil[.]com|Acme>"],
  ])("%s is shown as %s", (text, shown) => {
    expect(defanged(text, 100)).toBe(shown);
    assertNoLink(shown);
  });

  it.each([
    "Acme Europe",
    "Acme Inc. Europe: No. 7",
    "totalprice by price reached 1360.52, its limit is 50",
    "totalprice by price reached 1250000000, its limit is 1000000000.5",
    "Twilio error 20500 (HTTP 500): Internal Server Error",
    "fired before the account was reactivated at 2026-11-21T03:04:05.000Z",
    "the alert of 2026-11-21 03:04:07 UTC",
    "Customer 4915112345678",
    "sales @ acme, 24/7",
    "parent: suspend-top",
    "sms by price, daily, at +30",
  ])("%s stays as it is", (text) => {
    expect(defanged(text, 100)).toBe(text);
  });

  const hostile = fc.oneof(
    fc.webUrl(),
    fc.domain(),
    fc.emailAddress(),
    fc.ipV4(),
    fc.constantFrom("www.x1", "javascript:x", "tel:+4915112345678", "+1-800-555-0100", "evil。com", "a@b", "x.y.z:1"),
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."ahttpsw1.。．:：/@[]() -+٣é…") }),
  );
  const text = fc.array(hostile, { maxLength: 5 }).chain((parts) => fc.constantFrom(parts.join(""), parts.join(" ")));

  it("never becomes a link, however it is cut, and in a subject neither", () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 80 }), (words, limit) => {
        assertNoLink(defanged(words, limit));
        assertNoLink(ascii(words, limit));
      }),
      { numRuns: 5000 },
    );
  });

  it("is on one line, can be defanged twice, and grows by its brackets only", () => {
    fc.assert(
      fc.property(text, (words) => {
        const once = defanged(words, 1000);
        expect(once).toBe(oneLine(once, Number.POSITIVE_INFINITY));
        expect(defanged(once, Number.POSITIVE_INFINITY)).toBe(once);
        expect([...once].length).toBeLessThanOrEqual(3 * [...oneLine(words, 1000)].length);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("wherever it is shown", () => {
  const evil = "https://evil.example/x a@evil.example www.evil.example evil.example:80";
  const hostile = incident({
    friendlyName: evil,
    rule: evil,
    reason: evil,
    trip: {
      ...smsTrip,
      usageCategory: evil,
      triggerBy: evil,
      recurring: evil,
      usageTriggerSid: evil,
      currentValue: evil,
    },
    failure: { twilioCode: null, message: evil, retrying: false },
  });

  it.each(Object.entries(examples))("%s holds our own links and no other", (_, occasion) => {
    const { suspension, reactivation, dismissal } = occasion.incident;
    const asked = { reason: evil };
    const alert = composeAlert({
      ...occasion,
      ...("waiting" in occasion ? { waiting: [{ accountSid: SID, friendlyName: evil }] } : {}),
      ...("note" in occasion ? { note: evil } : {}),
      problem: evil,
      incident: {
        ...occasion.incident,
        ...hostile,
        state: occasion.incident.state,
        suspension: suspension && { ...suspension, ...asked },
        reactivation: reactivation && { ...reactivation, ...asked, failure: evil },
        dismissal: dismissal && { ...dismissal, ...asked },
      },
    });
    const shown = JSON.stringify([alert.text, alert.subject, alert.headline, slackMessage(alert)]);
    expect(shown).toContain("evil[.]example");
    expect(shown.match(/https?:\/\/[^"\\>]*/g)?.every((link) => link === occasion.incidentUrl)).toBe(true);
    expect(shown).not.toMatch(/[@.]evil|evil\.|example:80/);
  });

  it("a name in Slack's forms, and in a notice", () => {
    expect(nameOf(hostile)).not.toMatch(/evil\.|:\/\/|[^[]@/);
    const told = notice({
      ...{
        id: "sweep:1:drift",
        kind: "drift-repaired",
        severity: "warning",
        subject: "Triggers",
        headline: "Repaired.",
      },
      ...{ facts: [{ label: "Accounts", value: `${evil} (${SID})` }], nextStep: "", at: "2026-11-21T00:10:00.000Z" },
      drillId: null,
    });
    expect(JSON.stringify([told.text, slackMessage({ ...told, times: [], incidentUrl: "" })])).not.toMatch(/evil\./);
  });
});
