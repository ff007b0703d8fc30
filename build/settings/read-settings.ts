import { nearest } from "../../lib/policy/nearest.ts";
import { quote } from "../../lib/policy/policy-problem.ts";
import { readStageFile, type StageLine } from "./read-stage-file.ts";
import {
  NONE,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
  settingOf,
  settingsFrom,
} from "./settings.ts";

/** The settings of one packaging, or everything that is wrong with them, one sentence a problem. */
export type Reading =
  | {
      kind: "fine";
      /** What is packaged. */
      settings: Settings;
      /** What the file alone would make, with every default filled in. */
      ofFile: Settings;
      /** Those that the file does not write, so that they are at their defaults. */
      unwritten: readonly SettingName[];
    }
  | { kind: "wrong"; problems: string[] };

export interface Written {
  /** Of the stage file; undefined when there is none. */
  text: string | undefined;
  /** How the messages call it. */
  fileName: string;
  /** Each as it followed `--param`: `name=value`. */
  params: readonly string[];
}

/** `--param` overrides the file, and is checked as strictly: a wrong name or value, or one given twice, is a problem. */
export function readSettings({ text = "", fileName, params }: Written): Reading {
  const file = readStageFile(text, fileName);
  const inFile = file.kind === "lines" ? check(file.lines.map(fromLine)) : { ...NOTHING, problems: file.problems };
  const overriding = check(params.map(fromParam));
  const problems = [...inFile.problems, ...overriding.problems];
  if (problems.length > 0) return { kind: "wrong", problems };
  return {
    kind: "fine",
    settings: settingsFrom((name) => overriding.values.get(name) ?? inFile.values.get(name)),
    ofFile: settingsFrom((name) => inFile.values.get(name)),
    unwritten: SETTING_NAMES.filter((name) => !inFile.values.has(name)),
  };
}

/** One name and value, wherever they were written. */
interface Entry {
  key: string;
  value: string | undefined;
  came: string;
  /** What the messages about its name, and about its value, begin with. */
  about: { key: string; value: string };
  /** How one writes an example there. */
  write(name: string, value: string): string;
}

function fromLine({ key, value, came, where }: StageLine): Entry {
  const write = (name: string, example: string) => `${name}: ${example}`;
  return {
    key,
    value,
    came,
    about: { key: `${where.key} ${quote(key)}`, value: `${where.value} ${quote(key)}` },
    write,
  };
}

function fromParam(param: string): Entry {
  const equals = param.indexOf("=");
  const key = equals < 0 ? param : param.slice(0, equals);
  const value = equals < 0 ? "" : param.slice(equals + 1);
  const about = `--param ${quote(key)}`;
  return {
    key,
    value: value === "" ? undefined : value,
    came: value === "" ? "nothing" : quote(value),
    about: { key: about, value: about },
    write: (name, example) => `--param="${name}=${example}"`,
  };
}

interface Checked {
  values: ReadonlyMap<string, string>;
  problems: string[];
}
const NOTHING: Checked = { values: new Map(), problems: [] };

function check(entries: readonly Entry[]): Checked {
  const values = new Map<string, string>();
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const entry of entries) {
    const setting = settingOf(entry.key);
    if (setting === undefined) problems.push(unknownName(entry));
    else if (seen.has(entry.key)) problems.push(`${entry.about.key}: It is given twice. Keep one.`);
    else if (entry.value === undefined || !setting.isRight(entry.value)) problems.push(wrongValue(entry, setting));
    else values.set(entry.key, entry.value);
    seen.add(entry.key);
  }
  return { values, problems };
}

function unknownName({ key, about, write }: Entry): string {
  const meant = nearest(key, SETTING_NAMES);
  const example = (name: SettingName) => `for example \`${write(name, SETTINGS[name].example)}\``;
  const advice =
    meant === undefined
      ? `Expected one of ${SETTING_NAMES.join(", ")}; ${example("mode")}.`
      : `Did you mean \`${meant}\`, ${example(meant)}?`;
  return `${about.key}: There is no such setting. ${advice}`;
}

function wrongValue({ key, value, came, about, write }: Entry, setting: Setting): string {
  const { expected, example, values = [] } = setting;
  const meant =
    value === undefined ? undefined : nearest(value, [...values, ...(setting.fallback === NONE ? [NONE] : [])]);
  const advice = meant === undefined ? "" : ` Did you mean \`${meant}\`?`;
  return `${about.value}: Expected ${expected}, for example \`${write(key, example)}\`. Got: ${came}.${advice}`;
}
