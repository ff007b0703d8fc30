import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as YAML from "yaml";
import { CHECK_ANSWERS, CHECK_IDS, CLEANUP_IDS } from "../../lib/incidents/checklist.ts";
import { ALERTED_BECAUSE, INCIDENT_STATES } from "../../lib/incidents/incident.ts";
import { tollbreaker } from "../cli/command-line.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const page = read("docs/runbook.md");

/** The first matches of each row or line, all of them at once. */
function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, found]) => found ?? []);
}

describe("the runbook tells of each", () => {
  it.each(INCIDENT_STATES)("state: %s", (state) => expect(page).toContain(`\`${state}\``));
  it.each(ALERTED_BECAUSE)("reason not to suspend: %s", (because) => expect(page).toContain(`| \`${because}\` |`));
  it.each(CHECK_IDS)("item of the check-list: %s", (id) => expect(page).toContain(`| \`${id}\` |`));
  it.each(CHECK_ANSWERS)("answer of the check-list: %s", (answer) => expect(page).toContain(`\`${answer}\``));
  it.each(CLEANUP_IDS)("clean-up: %s", (id) => expect(page).toContain(`| \`${id}\` |`));

  const twilioCodes = all(read("lib/twilio/refusals.ts"), /\[\s*(\d{5}),/g);
  it("of Twilio's error codes that the client knows", () => expect(twilioCodes.length).toBeGreaterThan(15));
  it.each(twilioCodes)("of Twilio's error codes: %s", (code) => {
    expect(section("Twilio's error codes")).toMatch(new RegExp(`^\\|[ 0-9,]*\\b${code}\\b[ 0-9,]*\\|`, "m"));
  });

  const rows = read("docs/errors.md").match(/^\| `.*$/gm) ?? [];
  const ownCodes = rows.flatMap((row) => all(row.split("|")[1] ?? "", /`([a-z-]+)`/g));
  it("of our own error codes", () => expect(ownCodes.length).toBeGreaterThan(30));
  it.each(ownCodes)("of our own error codes: %s", (code) =>
    expect(section("Our own error codes") + section("A command is refused")).toContain(`\`${code}\``),
  );
});

/** Intrinsic functions (`!Ref`) stay as they are written: only names are read. */
const template: { functions: object; resources: { Resources: Record<string, Resource> } } = YAML.parse(
  read("serverless.yml"),
  { logLevel: "silent" },
);
interface Resource {
  Type: string;
  Properties: { AlarmName?: string; QueueName?: string };
}
const resources = Object.values(template.resources.Resources);
const STAGE = `\${self:service}-\${sls:stage}-`;
const alarms = resources.flatMap(({ Properties: { AlarmName } }) => AlarmName?.replace(STAGE, "") ?? []);
const queues = resources.flatMap(({ Properties: { QueueName } }) => QueueName?.replace(STAGE, "") ?? []);
const functions = all(read("serverless.yml"), /^ {4}name: \$\{self:service\}-\$\{sls:stage\}-([a-z-]+)$/gm);

describe("what runs on AWS", () => {
  it("has alarms, queues and functions", () => {
    expect(alarms.length).toBe(resources.filter(({ Type }) => Type === "AWS::CloudWatch::Alarm").length);
    expect(alarms.length).toBeGreaterThan(5);
    expect(queues.filter((name) => name.includes("dead-letters")).length).toBeGreaterThan(1);
    expect(functions.length).toBe(Object.keys(template.functions).length);
  });

  it.each(alarms)("the runbook says what to do about the alarm %s", (name) =>
    // In the first cell, maybe beside others.
    expect(section("Alarms")).toMatch(new RegExp(`^\\|[^|]*\`${name}\``, "m")),
  );

  it.each(queues.filter((name) => name.includes("dead-letters")))("and about the dead letters in %s", (name) =>
    expect(section("Dead letters")).toContain(`| \`tollbreaker-prod-${name}\` |`),
  );

  it("has what the runbook's commands name", () => {
    const named = all(page, /tollbreaker-prod-([a-z-]+(?:\.fifo)?)(?![\w$.-]*\.\.)/g).filter((name) => name !== "-");
    expect(named).not.toEqual([]);
    for (const name of named) expect([...alarms, ...queues, ...functions]).toContain(name);
    for (const name of all(page, /`logs ([a-z-]+)/g)) expect(functions).toContain(name);
  });
});

describe("its commands", () => {
  const lines = [...page.matchAll(/npm run -s tollbreaker -- ([a-z]+(?: [a-z-]+)?)(?![a-z])([^`\n#]*)/g)];
  const options = Map.groupBy(lines, ([, command = ""]) => command);

  it.each([...options])("the command line has: %s", async (command, uses) => {
    const { stdout } = await tollbreaker([...command.split(" "), "--help"]);
    expect(stdout).toMatch(new RegExp(`^Usage: tollbreaker ${command} \\[options\\]`));
    for (const [, , rest = ""] of uses) for (const option of all(rest, /(--[a-z]+)/g)) expect(stdout).toContain(option);
  });
});

describe("its links", () => {
  const headings = (text: string) => all(text, /^#+ (.+)$/gm).map(slug);
  it.each(all(page, /\]\(#([^)]+)\)/g))("#%s is a heading of it", (anchor) => {
    expect(headings(page)).toContain(anchor);
  });
  it.each(all(page, /\]\(([a-z-]+\.md(?:#[^)]+)?)\)/g))("%s is there", (link) => {
    const [file = "", anchor] = link.split("#");
    expect(existsSync(new URL(`docs/${file}`, root))).toBe(true);
    if (anchor !== undefined) expect(headings(read(`docs/${file}`))).toContain(anchor);
  });
});

/** One chapter, without those that follow it. */
function section(heading: string): string {
  const [, chapter = ""] = page.split(`\n## ${heading}\n`);
  return chapter.split("\n## ")[0] ?? "";
}

/** As GitHub names the anchor of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
