import * as z from "zod/mini";
import { NotifyEnv, RespondEnv, SlackEnv, SweepShardEnv } from "../../lib/config.ts";

/**
 * What a deployment can be told: the keys of a stage file and of `--param`. None of them is a secret: secrets are SSM
 * parameters.
 */
export const SETTING_NAMES = [
  ...(["mode", "alertsEmail", "publicUrl", "slackChannel", "slackTeam"] as const),
  ...(["dailySummary", "responders", "table"] as const),
] as const;
export type SettingName = (typeof SETTING_NAMES)[number];
/** The value of each, as text; `none` where there is none. */
export type Settings = Readonly<Record<SettingName, string>>;

export interface Setting {
  /** What a right value is, for "Expected ...". */
  expected: string;
  example: string;
  /** Without one in the file. */
  fallback: string;
  /** All values that there are, where they can be listed. */
  values?: readonly string[];
  isRight(text: string): boolean;
  /** What the value does, where it does not say so itself. */
  meaning?(value: string): string | undefined;
}

/** In place of a value: there is no such thing. A word, because an empty value is mostly a forgotten one. */
export const NONE = "none";

const MODES = {
  enforce: "suspends what the policy says",
  observe: "records and alerts, and suspends nothing",
};

export const SETTINGS: Readonly<Record<SettingName, Setting>> = {
  mode: {
    expected: "`enforce` or `observe`",
    example: "observe",
    fallback: "observe",
    ...oneOf(Object.keys(MODES), RespondEnv.shape.MODE),
    meaning: (value) => new Map(Object.entries(MODES)).get(value),
  },
  alertsEmail: {
    expected: "one e-mail address, or `none`",
    example: "duty@example.com",
    fallback: NONE,
    isRight: orNone((text) => /^[^\s@<>()[\],;:"\\]{1,64}@([a-z0-9-]+\.)+[a-z0-9-]+$/i.test(text)),
    meaning: whenNone("nobody gets the alerts by e-mail"),
  },
  publicUrl: {
    expected: "the https URL of your own domain before the API, without /webhooks, query and fragment, or `none`",
    example: "https://tollbreaker.example.com",
    fallback: NONE,
    isRight: orNone((text) => /^https:/i.test(text) && accepts(RespondEnv.shape.PUBLIC_URL, text)),
    meaning: whenNone("the API's own address"),
  },
  slackChannel: {
    expected: "the ID of a Slack channel, not its name, or `none`",
    example: "C012ABCDEF",
    fallback: NONE,
    isRight: orNone((text) => accepts(NotifyEnv.shape.SLACK_CHANNEL, text)),
    meaning: whenNone("no Slack app"),
  },
  slackTeam: {
    expected: "the ID of your Slack workspace, or `none`",
    example: "T012ABCDEF",
    fallback: NONE,
    isRight: orNone((text) => accepts(SlackEnv.shape.SLACK_TEAM_ID, text)),
    meaning: whenNone("nobody is let in from Slack"),
  },
  dailySummary: {
    expected: "`on` or `off`",
    example: "on",
    fallback: "off",
    ...oneOf(["on", "off"], SweepShardEnv.shape.DAILY_SUMMARY),
  },
  responders: {
    expected: "a whole number from 2 to 1000",
    example: "10",
    fallback: "2",
    // Lambda's own bounds of an event source's concurrency.
    isRight: (text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) >= 2 && Number(text) <= 1000,
  },
  table: {
    expected: "the name of a DynamoDB table in the same AWS account and region, or `none`",
    example: "tollbreaker-prod-Incidents-1ABCDEFGHIJKL",
    fallback: NONE,
    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
    isRight: orNone((text) => /^[A-Za-z0-9_.-]{3,255}$/.test(text)),
    meaning: whenNone("the table that this stack makes and keeps"),
  },
};

/** @returns undefined when there is no such setting */
export function settingOf(name: string): Setting | undefined {
  return new Map<string, Setting>(Object.entries(SETTINGS)).get(name);
}

/** Every setting, from `find` where that knows one. */
export function settingsFrom(find: (name: SettingName) => string | undefined): Settings {
  const value = (name: SettingName) => find(name) ?? SETTINGS[name].fallback;
  return {
    mode: value("mode"),
    alertsEmail: value("alertsEmail"),
    publicUrl: value("publicUrl"),
    slackChannel: value("slackChannel"),
    slackTeam: value("slackTeam"),
    dailySummary: value("dailySummary"),
    responders: value("responders"),
    table: value("table"),
  };
}

// The functions check again when they start: what is right here must be right there.
function accepts(schema: z.core.$ZodType, text: string): boolean {
  return z.safeParse(schema, text).success;
}

function oneOf(values: readonly string[], schema: z.core.$ZodType): Pick<Setting, "isRight" | "values"> {
  return { values, isRight: (text) => values.includes(text) && accepts(schema, text) };
}

function orNone(isRight: Setting["isRight"]): Setting["isRight"] {
  return (text) => text === NONE || isRight(text);
}

function whenNone(meaning: string): NonNullable<Setting["meaning"]> {
  return (value) => (value === NONE ? meaning : undefined);
}
