import { expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { INCIDENT_STATES, type IncidentState } from "../../../lib/incidents/incident.ts";
import { type ButtonId, buttonsFor } from "../../../lib/slack/buttons.ts";
import { examples } from "../alerts/examples.ts";

function alertOf(occasion: Parameters<typeof composeAlert>[0]) {
  const { alert } = readNotification(JSON.stringify(composeAlert(occasion)));
  if (alert === undefined) throw new Error("it is no incident's alert");
  return alert;
}

const BY_STATE: Record<IncidentState, ButtonId[]> = {
  open: [],
  suspended: ["reactivate", "keep-suspended"],
  alerted: ["suspend", "dismiss"],
  failed: ["suspend", "dismiss"],
  reactivating: [],
  reactivated: [],
  dismissed: [],
};

it.each(INCIDENT_STATES)("%s", (state) => {
  const { incident } = examples.suspended;
  expect(buttonsFor(alertOf({ ...examples.suspended, incident: { ...incident, state } }))).toEqual(BY_STATE[state]);
});

it("a parent account can't be suspended", () => {
  expect(buttonsFor(alertOf(examples["the parent account"]))).toEqual(["dismiss"]);
});

it("a closed account can't come back", () => {
  const { incident } = examples.suspended;
  const closed = { ...incident, containment: { by: "closed" as const, callsEnded: 0, callsLeft: 0 } };
  expect(buttonsFor(alertOf({ ...examples.suspended, incident: closed }))).toEqual(["dismiss"]);
});

it("an account that is active past us is to be suspended", () => {
  expect(buttonsFor(alertOf(examples["active again"]))).toEqual(["suspend"]);
});
