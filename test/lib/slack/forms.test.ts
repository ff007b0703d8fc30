import { describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { CHECK_ANSWERS, CHECK_IDS, type Checklist } from "../../../lib/incidents/checklist.ts";
import { dismissalForm } from "../../../lib/slack/dismissal-form.ts";
import { beginningOf, incidentMessage, presentOf } from "../../../lib/slack/incident-message.ts";
import { reactivationForm } from "../../../lib/slack/reactivation-form.ts";
import { suspensionForm } from "../../../lib/slack/suspension-form.ts";
import fc from "../../support/fast-check.ts";
import { policyOf } from "../../support/policies.ts";
import { flawsOfBlocks, flawsOfView } from "../../support/slack-limits.ts";
import { examples, incident, SID } from "../alerts/examples.ts";

const target = { incidentId: incident().id, accountSid: SID, message: { channel: "C012CHANNEL", ts: "1.2" } };
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4000 }),
  fc.constantFrom("&".repeat(4000), "<!here>".repeat(500), "😀&".repeat(900), "", " "),
);

const OBSERVE = policyOf(`
mode: observe
limits: {}
unlisted: suspend
brake: { suspensions: 5, within: 10m }
exempt:
  - { account: ${SID}, why: ${"a very long reason ".repeat(10)} }
`);

describe("Slack takes every form, whatever names and reasons say", () => {
  it("of a reactivation, with any check-list", () => {
    const check = fc.record({
      id: fc.constantFrom(...CHECK_IDS),
      answer: fc.constantFrom(...CHECK_ANSWERS),
      why: hostile,
    });
    const items = fc.uniqueArray(check, { selector: ({ id }) => id });
    fc.assert(
      fc.property(hostile, items, (friendlyName, all) => {
        const checklist: Checklist = { readAt: "2026-11-21T05:09:30.000Z", items: all };
        expect(flawsOfView(reactivationForm(incident({ friendlyName }), checklist, target))).toEqual([]);
      }),
    );
  });

  it("of a suspension that the policy is against twice, and of a dismissal", () => {
    fc.assert(
      fc.property(hostile, (friendlyName) => {
        const named = incident({ friendlyName });
        expect(flawsOfView(suspensionForm(named, OBSERVE, target, new Date("2026-11-21")))).toEqual([]);
        expect(flawsOfView(dismissalForm(named, target))).toEqual([]);
      }),
    );
  });

  it.each(Object.entries(examples))("and the message of an incident: %s", (_what, occasion) => {
    const { alert } = readNotification(JSON.stringify(composeAlert(occasion)));
    if (alert === undefined) throw new Error("it is no incident's alert");
    fc.assert(
      fc.property(hostile, hostile, (headline, who) => {
        const { blocks, text } = incidentMessage(
          alert.incident.id,
          { ...beginningOf(alert), headline },
          { ...presentOf(alert), who },
        );
        expect(flawsOfBlocks(blocks)).toEqual([]);
        expect(text.length).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });
});
