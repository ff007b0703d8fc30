import { describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { notice } from "../../../lib/alerts/notice.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { slackMessage } from "../../../lib/alerts/slack-message.ts";
import fc from "../../support/fast-check.ts";
import { examples } from "./examples.ts";

const alert = composeAlert(examples.suspended);
const { id, incident } = alert;
const asAlert = { id, message: slackMessage(alert) };

describe("an alert", () => {
  const json = JSON.stringify(alert);
  it.each([
    ["raw", json],
    ["with every protocol's form", JSON.stringify({ default: alert.text, sqs: json })],
    ["wrapped by SNS", JSON.stringify({ Type: "Notification", MessageId: "m", Subject: "s", Message: json })],
  ])("%s", (_how, body) => {
    const read = readNotification(body);
    expect(read).toMatchObject(asAlert);
    const { id, accountSid, state, updatedAt } = incident;
    expect(read.alert).toMatchObject({ id: alert.id, at: alert.at, incident: { id, accountSid, state, updatedAt } });
  });

  it.each(Object.keys(examples) as (keyof typeof examples)[])("%s is an incident's alert", (name) => {
    expect(readNotification(JSON.stringify(composeAlert(examples[name]))).alert?.about).toBe(examples[name].about);
  });

  it("about something that only a newer version knows", () => {
    const read = readNotification(JSON.stringify({ ...alert, about: "levitating" }));
    expect(read).toMatchObject({ ...asAlert, alert: { about: "levitating" } });
  });

  it("from a newer version, with more in it", () => {
    const read = readNotification(JSON.stringify({ ...alert, incident: { shape: "changed" }, more: 1 }));
    expect(read).toEqual({ ...asAlert, alert: undefined });
  });
});

it("a notice has its words, and no incident", () => {
  const told = notice({
    id: "daily:2026-11-21",
    kind: "daily-summary",
    severity: "info",
    subject: "120 accounts armed and quiet",
    headline: "120 accounts are armed and quiet.",
    facts: [{ label: "Accounts", value: "120" }],
    nextStep: "",
    at: "2026-11-21T00:10:00.000Z",
    drillId: null,
  });
  const read = readNotification(JSON.stringify(told));
  expect(read).toMatchObject({ id: "daily:2026-11-21", alert: undefined });
  expect(JSON.stringify(read.message)).toContain("120 accounts are armed and quiet.");
  expect(JSON.stringify(read.message)).not.toContain("Next step");
});

describe("a CloudWatch alarm", () => {
  const alarm = {
    AlarmName: "tollbreaker-inbox-dlq",
    AlarmDescription: "A signal could not be handled.",
    NewStateValue: "ALARM",
    NewStateReason: "Threshold Crossed: 1 datapoint [1.0] was > 0",
    OldStateValue: "OK",
  };

  it("shows its name, its state, its description and the reason", () => {
    const { id, message } = readNotification(JSON.stringify(alarm));
    expect(id).toBeUndefined();
    expect(message.text).toContain("CloudWatch alarm tollbreaker-inbox-dlq: ALARM: A signal could not be handled.");
    expect(JSON.stringify(message.blocks)).toContain("Threshold Crossed: 1 datapoint [1.0] was &gt; 0");
  });

  it("needs no description", () => {
    const { message } = readNotification(JSON.stringify({ ...alarm, AlarmDescription: null, NewStateReason: "" }));
    expect(JSON.stringify(message.blocks)).toContain("no description and no reason");
  });

  it("that is over looks calm", () => {
    expect(JSON.stringify(readNotification(JSON.stringify({ ...alarm, NewStateValue: "OK" })).message)).toContain("🔵");
  });
});

describe("anything else is shown as it is", () => {
  it.each(["hello <!channel>", "{}", "null", "[1]", '{"id":"x"}', "{broken"])("%s", (body) => {
    const { id, message } = readNotification(body);
    expect(id).toBeUndefined();
    const shown = body.replace(/</g, "&lt;").replace(/>/g, "&gt;");
    expect(message.blocks).toContainEqual({ type: "section", text: { type: "plain_text", text: shown } });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (body) => {
        expect(readNotification(body).message.blocks.length).toBeGreaterThan(0);
      }),
    );
  });
});
