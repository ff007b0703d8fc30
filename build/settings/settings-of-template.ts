import { NONE, type SettingName, type Settings, settingsFrom } from "./settings.ts";

/**
 * Where a packaged template has each setting. Read from what acts, and not from a note beside it: this also says what an
 * older version's template would do, which knew nothing of stage files.
 */
const PLACES: Readonly<Record<SettingName, readonly string[]>> = {
  mode: environmentOf("RespondLambdaFunction", "MODE"),
  alertsEmail: ["Resources", "AlertsToEmail", "Properties", "Endpoint"],
  publicUrl: ["Conditions", "HasPublicUrl", "Fn::Not", "0", "Fn::Equals", "0"],
  slackChannel: environmentOf("NotifyLambdaFunction", "SLACK_CHANNEL"),
  slackTeam: environmentOf("SlackLambdaFunction", "SLACK_TEAM_ID"),
  dailySummary: environmentOf("SweepShardLambdaFunction", "DAILY_SUMMARY"),
  responders: ["Resources", "RespondEventSourceMappingSQSInbox", "Properties", "ScalingConfig", "MaximumConcurrency"],
  // A reference to the stack's own table is no text.
  table: environmentOf("RespondLambdaFunction", "TABLE_NAME"),
};

/**
 * The settings that `template` was packaged with.
 * @returns undefined when it has no responder: the beginnings of a stack, or another one
 */
export function settingsOfTemplate(template: unknown): Settings | undefined {
  if (textAt(template, PLACES.mode) === undefined) return undefined;
  return settingsFrom((name) => {
    const text = textAt(template, PLACES[name]);
    return text === "" ? NONE : text;
  });
}

function environmentOf(functionId: string, variable: string): readonly string[] {
  return ["Resources", functionId, "Properties", "Environment", "Variables", variable];
}

function textAt(value: unknown, path: readonly string[]): string | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  return textAt(new Map<string, unknown>(Object.entries(Object(value))).get(key), rest);
}
