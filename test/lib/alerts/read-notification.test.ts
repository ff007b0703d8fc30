import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { slackMessage } from "../../../lib/alerts/slack-message.ts";
import { examples } from "./examples.ts";

const alert = composeAlert(examples.suspended);
const asAlert = { id: alert.id, message: slackMessage(alert) };

describe("an alert", () => {
  const json = JSON.stringify(alert);
  it.each([
    ["raw", json],
    ["with every protocol's form", JSON.stringify({ default: alert.text, sqs: json })],
    ["wrapped by SNS", JSON.stringify({ Type: "Notification", MessageId: "m", Subject: "s", Message: json })],
  ])("%s", (_how, body) => {
    expect(readNotification(body)).toEqual(asAlert);
  });

  it("from a newer version, with more in it", () => {
    expect(readNotification(JSON.stringify({ ...alert, incident: { shape: "changed" }, more: 1 }))).toEqual(asAlert);
  });
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
