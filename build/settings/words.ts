import { NONE, SETTING_NAMES, SETTINGS, type SettingName, type Settings } from "./settings.ts";

/** What is said of the settings of a stage when it is packaged, deployed and rolled back. */

export interface Subject {
  stage: string;
  /** Of the stage file. */
  fileName: string;
  hasFile: boolean;
  settings: Settings;
  ofFile: Settings;
  unwritten: readonly SettingName[];
  policyMode: "enforce" | "observe";
}

/** A setting whose value differs between two places. */
export interface Change {
  name: SettingName;
  from: string;
  to: string;
}

export function changesBetween(from: Settings, to: Settings): Change[] {
  return SETTING_NAMES.flatMap((name) => (from[name] === to[name] ? [] : [{ name, from: from[name], to: to[name] }]));
}

/** Everything that is packaged, what --param changes of it, and what a person may not have meant. */
export function announcement(subject: Subject): string[] {
  const { stage, fileName, hasFile } = subject;
  const source = hasFile ? `from ${fileName}` : `without ${fileName}, which does not exist`;
  return [`Settings of the stage ${stage}, ${source}:`, ...table(subject), ...overrides(subject), ...notices(subject)];
}

function table({ settings, ofFile, unwritten }: Subject): string[] {
  const widest = Math.max(...SETTING_NAMES.map((name) => name.length));
  return SETTING_NAMES.map((name) => {
    const value = settings[name];
    const source = value !== ofFile[name] ? "by --param" : unwritten.includes(name) ? "default" : undefined;
    const notes = [SETTINGS[name].meaning?.(value), source].filter((note) => note !== undefined);
    return `  ${name.padEnd(widest)}  ${value}${notes.length === 0 ? "" : `  (${notes.join("; ")})`}`;
  });
}

function overrides({ fileName, settings, ofFile }: Subject): string[] {
  const changes = changesBetween(ofFile, settings);
  if (changes.length === 0) return [];
  return [
    "--param overrides the file this time only. The next deployment is as the file says again:",
    ...changes.map(({ name, from, to }) => `  ${name}: ${to} instead of ${from}, as ${fileName} has it`),
  ];
}

function notices({ fileName, settings, policyMode }: Subject): string[] {
  const { mode, alertsEmail, slackChannel } = settings;
  return [
    ...(mode === "observe" ? [`It observes: nothing is suspended until ${fileName} says \`mode: enforce\`.`] : []),
    ...(mode === "enforce" && policyMode === "observe"
      ? ["It observes: policy.yml says `mode: observe`, and either is enough. Nothing is suspended."]
      : []),
    ...(mode === "enforce" && policyMode === "enforce"
      ? ["It enforces: accounts over their limits are suspended."]
      : []),
    ...(alertsEmail === NONE && slackChannel === NONE
      ? ["Nobody is told by e-mail or by a Slack app: alerts reach only who subscribed to the topic by hand."]
      : []),
  ];
}

/** What a deployment changes of what is deployed. */
export function changesOfDeployment(deployed: Settings, going: Settings): string[] {
  const changes = changesBetween(deployed, going);
  if (changes.length === 0) return ["The settings are those that are deployed already."];
  return ["Of the settings that are deployed now, this changes:", ...changes.map(inWords)];
}

/** `  mode: enforce becomes observe (it will suspend nothing)` */
export function inWords({ name, from, to }: Change): string {
  const consequence = consequenceOf({ name, from, to });
  return `  ${name}: ${from} becomes ${to}${consequence === undefined ? "" : ` (${consequence})`}`;
}

function consequenceOf({ name, from, to }: Change): string | undefined {
  if (name === "mode") return to === "enforce" ? "it will suspend accounts" : "it will suspend nothing";
  if (name === "alertsEmail") {
    const ended = from === NONE ? [] : [`${from} gets no alerts any more`];
    const begun = to === NONE ? [] : [`${to} has to confirm the subscription`];
    return [...ended, ...begun].join("; ");
  }
  if (name === "table")
    return to === NONE
      ? "a new table, EMPTY: what the other one knows of accounts and incidents is not in it"
      : "the other table stays as it is";
  return undefined;
}
