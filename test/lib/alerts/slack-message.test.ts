import type { KnownBlock } from "@slack/types";
import { describe, expect, it } from "vitest";
import { type AlertOccasion, composeAlert } from "../../../lib/alerts/compose.ts";
import { plainSlackMessage, type SlackMessage, slackMessage } from "../../../lib/alerts/slack-message.ts";
import { escaped } from "../../../lib/alerts/slack-text.ts";
import fc from "../../support/fast-check.ts";
import { examples, incident, smsTrip } from "./examples.ts";

const occasions = Object.entries(examples);

/** Slack's documented limits: https://docs.slack.dev/reference/block-kit/blocks */
function assertWithinLimits({ text, blocks }: SlackMessage): void {
  expect(text.length).toBeGreaterThan(0);
  expect(text.length).toBeLessThanOrEqual(4000);
  expect(blocks.length).toBeLessThanOrEqual(50);
  for (const block of blocks) assertBlock(block);
}

function assertBlock(block: KnownBlock): void {
  switch (block.type) {
    case "header":
      assertText(block.text.text, 150);
      break;
    case "section":
      if (block.text !== undefined) assertText(withoutLink(block.text.text), 3000);
      if (block.fields !== undefined) assertFields(block.fields);
      expect(block.text ?? block.fields).toBeDefined();
      break;
    case "context":
      for (const element of block.elements) if ("text" in element) assertText(element.text, 2000);
      expect(block.elements.length).toBeLessThanOrEqual(10);
      break;
    default:
      throw new Error(`a block nobody expected: ${block.type}`);
  }
}

/** The one place where Slack's own marks are ours. */
function withoutLink(text: string): string {
  return text.replace(/^(\*Incident\*\n)<(https:[^<>|]+)>$/, "$1$2");
}

function assertFields(fields: readonly { text: string }[]): void {
  expect(fields.length).toBeGreaterThan(0);
  expect(fields.length).toBeLessThanOrEqual(10);
  for (const { text } of fields) assertText(text, 2000);
}

function assertText(text: string, limit: number): void {
  expect(text.length).toBeGreaterThan(0);
  expect(text.length).toBeLessThanOrEqual(limit);
  expect(text).not.toMatch(/[<>]/);
  // Every ampersand begins a whole entity.
  expect(text.replace(/&(amp|lt|gt);/g, "")).not.toContain("&");
}

describe("an alert in Slack", () => {
  it.each(occasions)("%s says all that the e-mail says, in one section of fields", (_, occasion) => {
    const alert = composeAlert(occasion);
    const message = slackMessage(alert);
    const shown = JSON.stringify(message.blocks);
    for (const { label, value } of alert.facts) expect(shown).toContain(`*${label}*\\n${value}`);
    for (const time of alert.times) expect(shown).toContain(time);
    expect(shown).toContain(`*Next step*\\n${alert.nextStep}`);
    expect(shown).toContain(occasion.incident.accountSid);
    expect(message.blocks.filter((block) => "fields" in block)).toHaveLength(1);
    expect(message.text).toBe(alert.headline);
    assertWithinLimits(message);
  });

  it("has the incident's address as a link, and no button", () => {
    const { blocks } = slackMessage(composeAlert(examples.suspended));
    expect(JSON.stringify(blocks)).toContain(`*Incident*\\n<${examples.suspended.incidentUrl}>`);
    expect(blocks.map(({ type }) => type)).not.toContain("actions");
  });

  it("says how to reactivate, as a command that can be copied", () => {
    const shown = JSON.stringify(slackMessage(composeAlert(examples.suspended)).blocks);
    const { id } = examples.suspended.incident;
    expect(shown).toContain(`\`npm run -s tollbreaker -- incidents reactivate ${id} --reason '...'\``);
  });

  it("makes no link of an address that could end it early", () => {
    const alert = composeAlert({ ...examples.suspended, incidentUrl: "https://a.example/x?a=1&b=<|@here>" });
    const shown = JSON.stringify(slackMessage(alert).blocks);
    expect(shown).toContain("<https://a.example/x?a=1&amp;b=%3C%7C@here%3E>");
    assertWithinLimits(slackMessage({ ...alert, incidentUrl: "<!channel>" }));
  });

  it("leaves out what a notice doesn't have", () => {
    const alert = composeAlert(examples.suspended);
    const message = slackMessage({ ...alert, times: [], incidentUrl: "", nextStep: "" });
    expect(message.blocks.map(({ type }) => type)).toEqual(["header", "section", "section"]);
  });

  it("shows Slack's own markup in a name as text, and turns nothing in it into a link", () => {
    const message = slackMessage(
      composeAlert({
        ...examples.suspended,
        incident: incident({ friendlyName: "<!channel> & <https://evil.example|Acme>" }),
      }),
    );
    assertWithinLimits(message);
    expect(message.text).toContain("&lt;!channel&gt; &amp; &lt;hxxps[:]//evil[.]example|Acme&gt;");
    const loose = JSON.stringify(message.blocks).match(/"type":"mrkdwn","text":"(?:[^"\\]|\\.)*"(?!,"verbatim":true)/);
    expect(loose).toBeNull();
  });

  it("keeps Slack's limits whatever names and reasons say", () => {
    const words = fc.oneof(
      fc.string({ unit: "binary", maxLength: 4000 }),
      fc.constantFrom("&".repeat(4000), "<!here>".repeat(500), "😀&".repeat(900), "", " "),
    );
    fc.assert(
      fc.property(
        fc.constantFrom<AlertOccasion>(...Object.values(examples)),
        words,
        words,
        words,
        (occasion, friendlyName, reason, usageCategory) => {
          const trip = { ...smsTrip, usageCategory };
          const rest = { ...occasion.incident, trip: occasion.incident.trip && trip };
          const hostile = { ...rest, friendlyName, reason, rule: reason };
          const waiting = occasion.waiting?.map((one) => ({ ...one, friendlyName }));
          const told = { ...occasion, ...(waiting && { waiting }), incident: hostile, problem: reason };
          assertWithinLimits(slackMessage(composeAlert(told)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("keeps Slack's limits for alerts that somebody else composed", () => {
    const long = "<&>".repeat(3000);
    const facts = Array.from({ length: 25 }, (_, index) => ({ label: `L${index}`, value: long }));
    const alert = composeAlert(examples.suspended);
    const message = slackMessage({ ...alert, subject: long, headline: long, facts, times: [long], nextStep: long });
    assertWithinLimits(message);
    expect(message.blocks.filter((block) => block.type === "section" && block.fields !== undefined)).toHaveLength(3);
  });

  it("shows any other text within the limits", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 9000 }), (text) =>
        assertWithinLimits(plainSlackMessage("Title", text, "info")),
      ),
    );
  });
});

describe("escaping", () => {
  it.each([
    ["a < b && c > d", 100, "a &lt; b &amp;&amp; c &gt; d"],
    ["abcdef", 6, "abcdef"],
    ["abcdefg", 6, "abcde…"],
    ["abc&", 6, "abc…"],
    ["ab&", 7, "ab&amp;"],
    ["😀😀", 3, "😀…"],
  ])("%s within %d is %s", (text, limit, shown) => {
    expect(escaped(text, limit)).toBe(shown);
  });
});
