import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSettings } from "../../../build/settings/read-settings.ts";
import { SETTING_NAMES, SETTINGS, settingsFrom } from "../../../build/settings/settings.ts";

const read = (text: string | undefined, ...params: string[]) =>
  readSettings({ text, fileName: "stages/prod.yml", params });

function settingsOf(text: string | undefined, ...params: string[]) {
  const reading = read(text, ...params);
  if (reading.kind === "wrong") throw new Error(reading.problems.join("\n"));
  return reading.settings;
}

function problemsOf(text: string | undefined, ...params: string[]): string[] {
  const reading = read(text, ...params);
  return reading.kind === "wrong" ? reading.problems : [];
}

const DEFAULTS = settingsFrom(() => undefined);

describe("a stage", () => {
  test.each([undefined, "", "# nothing yet\n", "alertsEmail: duty@example.com\n", "---\n"])(
    "observes until its file says otherwise: %j",
    (text) => {
      expect(settingsOf(text)["mode"]).toBe("observe");
    },
  );

  test("enforces when its file says so, and goes on doing so without a single --param", () => {
    const file = "mode: enforce\nalertsEmail: duty@example.com\n";
    expect(settingsOf(file)).toEqual({ ...DEFAULTS, mode: "enforce", alertsEmail: "duty@example.com" });
  });

  test("takes every setting from its file, quoted or not, with comments", () => {
    const file = `
mode: "enforce" # since March
alertsEmail: 'duty+sms@alerts.example.com'
publicUrl: https://tollbreaker.example.com/base
slackChannel: C012ABCDEF
slackTeam: T012ABCDEF
dailySummary: on
responders: 10
table: tollbreaker-prod-Incidents-1ABC
`;
    expect(settingsOf(file)).toEqual({
      mode: "enforce",
      alertsEmail: "duty+sms@alerts.example.com",
      publicUrl: "https://tollbreaker.example.com/base",
      slackChannel: "C012ABCDEF",
      slackTeam: "T012ABCDEF",
      dailySummary: "on",
      responders: "10",
      table: "tollbreaker-prod-Incidents-1ABC",
    });
  });

  test("the example in the repository observes, and is right with each line that is commented out", () => {
    const example = readFileSync(new URL("../../../stages/prod.example.yml", import.meta.url), "utf8");
    expect(settingsOf(example)).toEqual(DEFAULTS);
    const whole = settingsOf(example.replace(/^# (\w+: \S+)$/gm, "$1"));
    expect(SETTING_NAMES.filter((name) => whole[name] === DEFAULTS[name])).toEqual(["mode"]);
  });
});

describe("--param", () => {
  test("overrides the file, which is told apart", () => {
    expect(read("mode: enforce\nresponders: 10", "mode=observe")).toEqual({
      kind: "fine",
      settings: { ...DEFAULTS, mode: "observe", responders: "10" },
      ofFile: { ...DEFAULTS, mode: "enforce", responders: "10" },
      unwritten: ["alertsEmail", "publicUrl", "slackChannel", "slackTeam", "dailySummary", "table"],
    });
  });

  test("can take something away, in so many words", () => {
    expect(settingsOf("alertsEmail: duty@example.com", "alertsEmail=none")["alertsEmail"]).toBe("none");
  });

  test.each([
    { param: "mod=observe", about: "--param mod: ", meant: "`mode`" },
    { param: "Mode=", about: "--param Mode: ", meant: "`mode`" },
    { param: "MODE=observe", about: "--param MODE: ", meant: "`mode`" },
    { param: "alertEmail=", about: "--param alertEmail: ", meant: "`alertsEmail`" },
    { param: "alertsemail=duty@example.com", about: "--param alertsemail: ", meant: "`alertsEmail`" },
    { param: "slackchannel=C012ABCDEF", about: "--param slackchannel: ", meant: "`slackChannel`" },
    { param: "mode =observe", about: "--param mode : ", meant: "`mode`" },
  ])("$param is refused by name, with the right one", ({ param, about, meant }) => {
    const [problem, ...others] = problemsOf("mode: enforce", param);
    expect(others).toEqual([]);
    expect(problem?.startsWith(about)).toBe(true);
    expect(problem).toContain(`There is no such setting. Did you mean ${meant}, for example \`--param="`);
  });

  test("a name that is like none lists them all, and shows how one is written", () => {
    expect(problemsOf("", "email=duty@example.com")).toEqual([
      `--param email: There is no such setting. Expected one of ${SETTING_NAMES.join(", ")}; for example \`--param="mode=observe"\`.`,
    ]);
  });

  test.each(["mode=", "mode", "alertsEmail=", "table="])("%s has no value, and takes nothing away", (param) => {
    const [problem] = problemsOf("mode: enforce\nalertsEmail: duty@example.com", param);
    expect(problem).toMatch(/^--param \w+: Expected .+, for example `--param=".+"`\. Got: nothing\./);
  });

  test("one that is given twice is refused, even with the same value", () => {
    expect(problemsOf("", "mode=observe", "mode=enforce")).toEqual(["--param mode: It is given twice. Keep one."]);
  });

  test.each(["constructor=1", "__proto__=1", "toString="])("%s is no setting", (param) => {
    expect(problemsOf("", param)).toEqual([expect.stringContaining("There is no such setting")]);
  });
});

const WRONG: Readonly<Record<string, readonly string[]>> = {
  mode: ["observ", "Observe", "true", "enforced", "enforce,observe", "none"],
  alertsEmail: ["duty", "duty@", "@example.com", "duty@localhost", "a@b.c d@e.f", "mailto:duty@example.com"],
  publicUrl: [
    "tollbreaker.example.com",
    "http://a.example.com",
    "https://a.example.com/webhooks",
    "https://a.example.com?x=1",
  ],
  slackChannel: ["#alerts", "alerts", "c012abcdef"],
  slackTeam: ["tollbreaker.slack.com", "C012ABCDEF"],
  dailySummary: ["yes", "true", "On", "1"],
  responders: ["1", "0", "-2", "2.5", "ten", "1001", "0x10", "1e2"],
  table: ["a", "with space", "arn:aws:dynamodb:eu-west-1:123456789012:table/one"],
};
const EACH_WRONG = Object.entries(WRONG).flatMap(([name, values]) => values.map((value) => ({ name, value })));

describe("a wrong value", () => {
  test("there are some of each setting", () => expect(Object.keys(WRONG)).toEqual([...SETTING_NAMES]));

  test.each(EACH_WRONG)("$name: $value is refused in the file, with its place, and as a --param", ({ name, value }) => {
    expect(problemsOf(`# one line\n${name}: "${value}"\n`)).toEqual([
      expect.stringMatching(
        new RegExp(`^stages/prod\\.yml:2:${name.length + 3} ${name}: Expected .+, for example \`${name}: `),
      ),
    ]);
    expect(problemsOf("", `${name}=${value}`)).toEqual([
      expect.stringMatching(new RegExp(`^--param ${name}: Expected .+, for example \`--param="${name}=`)),
    ]);
  });

  test("says what came, and what was probably meant", () => {
    expect(problemsOf("mode: observ")).toEqual([
      "stages/prod.yml:1:7 mode: Expected `enforce` or `observe`, for example `mode: observe`. Got: observ. Did you mean `observe`?",
    ]);
  });

  test.each([
    "alertsEmail:",
    'alertsEmail: ""',
    "alertsEmail: ~",
    "alertsEmail: [duty@example.com]",
    "alertsEmail: { to: a }",
  ])("%s is no address: who is meant to hear must be written, or `none`", (text) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(/alertsEmail: Expected one e-mail address, or `none`/)]);
  });
});

describe("a wrong file", () => {
  test("is refused with everything that is wrong with it, and with --param", () => {
    expect(
      problemsOf("mod: observe\nalertsEmail: duty\nemail: x\n", "mode=x").map((text) => text.split(": ")[0]),
    ).toEqual([
      "stages/prod.yml:1:1 mod",
      "stages/prod.yml:2:14 alertsEmail",
      "stages/prod.yml:3:1 email",
      "--param mode",
    ]);
  });

  test.each([
    { text: "mode: observe\nmode: enforce", of: "2:1" },
    { text: "- mode", of: "1:1" },
    { text: "enforce", of: "1:1" },
    { text: "mode: 'enforce", of: "1:" },
    { text: "mode: observe\n---\nmode: enforce", of: "2:1" },
    { text: "a: &a enforce\nmode: *a", of: "1:1" },
  ])("$text", ({ text, of }) => {
    expect(problemsOf(text)[0]).toContain(`stages/prod.yml:${of}`);
  });
});

test("each example is right", () => {
  for (const name of SETTING_NAMES) expect(problemsOf("", `${name}=${SETTINGS[name].example}`)).toEqual([]);
});
