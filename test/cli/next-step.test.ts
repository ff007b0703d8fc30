import { describe, expect, it } from "vitest";
import type { IncidentStory } from "../../cli/incident-view.ts";
import { nextSteps, typed } from "../../cli/next-step.ts";
import { ALERTED_BECAUSE, INCIDENT_STATES } from "../../lib/incidents/incident.ts";
import { freshChecklist, suspendedIncident } from "./scripted-api.ts";
import { runAt } from "./scripted-terminal.ts";

const commands = (changes: Partial<IncidentStory>) =>
  nextSteps({ ...suspendedIncident(), ...changes }).map(({ command }) => command.replace(/ '\.\.\.'/, ""));
const { id, accountSid } = suspendedIncident();
const by = (by: string) => ({ containment: { by, callsEnded: 0, callsLeft: 0 } });
const held = { ...freshChecklist(), items: [{ id: "suspended-by", answer: "not-done", why: "" }] };

const found = (second: number, what: string) => ({
  ...{ at: `2026-11-21T03:04:0${second}.000Z`, what, who: "tollbreaker", why: "", detail: {} },
});

describe("nextSteps", () => {
  it.each([
    ["suspended", {}, [`incidents reactivate ${id} --reason`]],
    ["suspended by Twilio", { checklist: held }, [`incidents report ${id}`, `incidents check ${id}`]],
    [
      "so, and not read yet",
      { ...by("suspended-by-twilio"), checklist: null },
      [`incidents report ${id}`, `incidents check ${id}`],
    ],
    ["so, and lifted since", by("suspended-by-twilio"), [`incidents reactivate ${id} --reason`]],
    ["closed", by("closed"), [`incidents dismiss ${id} --reason`]],
    ["closed since", { checklist: { ...held, account: "closed" } }, [`incidents dismiss ${id} --reason`]],
    [
      "active past us",
      { checklist: { ...held, account: "active" } },
      [`suspend ${accountSid} --reason`, `incidents reactivate ${id} --reason`],
    ],
    [
      "found active, and not suspended since",
      { timeline: [found(1, "suspended"), found(2, "found-active")] },
      [`suspend ${accountSid} --reason`, `incidents reactivate ${id} --reason`],
    ],
    [
      "found active, and suspended since",
      { timeline: [found(1, "found-active"), found(2, "suspended")] },
      [`incidents reactivate ${id} --reason`],
    ],
    [
      "found active, and read as suspended since",
      { timeline: [found(1, "found-active")], checklist: { ...freshChecklist(), account: "suspended" } },
      [`incidents reactivate ${id} --reason`],
    ],
    [
      "alerted",
      { state: "alerted", because: "rule" },
      [`suspend ${accountSid} --reason`, `incidents dismiss ${id} --reason`],
    ],
    ["failed", { state: "failed" }, [`suspend ${accountSid} --reason`, `incidents dismiss ${id} --reason`]],
    ["reactivating", { state: "reactivating" }, [`incidents show ${id}`, `suspend ${accountSid} --reason`]],
    ["reactivated", { state: "reactivated" }, [`incidents report ${id}`]],
    ["dismissed", { state: "dismissed" }, [`incidents report ${id}`]],
    ["of a state that is new", { state: "other" }, []],
  ])("%s", (_what, changes, expected) => {
    expect(commands(changes)).toEqual(expected);
  });

  it.each(["exempt", "observe-mode"])("acknowledges what the policy says against it: %s", (because) => {
    expect(commands({ state: "alerted", because })[0]).toContain(`--acknowledge ${because}`);
  });

  it.each([
    ...INCIDENT_STATES.map((state) => ({ state })),
    ...ALERTED_BECAUSE.map((because) => ({ state: "alerted", because })),
  ])("%j: has commands that the command line knows", async (changes) => {
    const steps = nextSteps({ ...suspendedIncident(), ...changes });
    expect(steps.length).toBeGreaterThan(0);
    for (const { command } of steps) {
      const words = command.replaceAll("'", "").split(" ");
      expect(await runAt([...words, "--help"], {})).toMatchObject({ code: 0 });
      expect(typed(command)).toBe(`npm run -s tollbreaker -- ${command}`);
    }
  });
});
