import * as z from "zod/mini";
import { TollbreakerError } from "./errors.ts";
import { ACCOUNT_SID } from "./twilio/sids.ts";

/**
 * What each function reads from its environment, as schemas, so that one place says it, a start fails with a clear
 * error, and the tests of the template can ask which variables a function needs.
 *
 * A secret is named twice: `X` holds the value itself (local runs), `X_PARAMETER` the name of an SSM SecureString that
 * holds it (AWS). `lib/secrets.ts` reads whichever is set.
 */

const httpUrl = (example: string) => {
  const url = `an http or https URL such as ${example}`;
  // A URL's parser takes white space away in silence, so it is looked for first.
  const written = z
    .string({ error: url })
    .check(z.refine(hasNoSpace, `${url}, without white space or control characters`));
  const bare = z
    .url({ protocol: /^https?$/, error: url })
    .check(z.refine(isBare, `${url}, without user name, query or fragment`));
  return z.pipe(written, bare);
};
const text = (what: string) => z.string({ error: what }).check(z.minLength(1, what));
const secret = (name: string) => ({ [name]: z.optional(z.string()), [`${name}_PARAMETER`]: z.optional(z.string()) });

// With more than the base, every signature would be made over another URL than ours, and every webhook be refused.
const publicUrl = {
  PUBLIC_URL: z.pipe(
    httpUrl("https://abc123.execute-api.eu-west-1.amazonaws.com").check(
      z.refine(isWithoutWebhooks, "the base URL alone, without /webhooks and what follows it"),
    ),
    z.transform(canonicalUrl),
  ),
};
const parent = {
  TWILIO_ACCOUNT_SID: z
    .string({ error: "the parent's Account SID: AC and 32 hexadecimal digits" })
    .check(z.regex(ACCOUNT_SID, "the parent's Account SID: AC and 32 hexadecimal digits")),
};
const twilio = {
  ...parent,
  ...secret("TWILIO_AUTH_TOKEN"),
  TWILIO_API_URL: z.optional(httpUrl("http://127.0.0.1:3001")),
};
const table = { TABLE_NAME: text("the name of the DynamoDB table") };

const inbox = {
  INBOX_QUEUE_URL: httpUrl("https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-inbox.fifo"),
};

/** What is still to be done, and what is given up of it. */
const followUp = {
  FOLLOW_UP_QUEUE_URL: httpUrl("https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-follow-up"),
  FOLLOW_UP_DEAD_LETTERS_URL: httpUrl(
    "https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-follow-up-dead-letters",
  ),
};

const slack = {
  ...secret("SLACK_BOT_TOKEN"),
  /** Another address than https://slack.com/api: a stand-in of Slack's. */
  SLACK_API_URL: z.optional(httpUrl("http://127.0.0.1:3003/api")),
};

const mode = {
  /** `observe` records and alerts, and suspends nothing. */
  MODE: z._default(z.enum(["enforce", "observe"], "enforce or observe"), "enforce"),
};

export const UsageTriggerEnv = z.object({ ...publicUrl, ...twilio, ...inbox });
export const DebuggerEnv = z.object({
  ...UsageTriggerEnv.shape,
  /** For the error windows alone. */
  ...table,
});
export const RespondEnv = z.object({
  ...publicUrl,
  ...twilio,
  ...table,
  ...inbox,
  ...followUp,
  ALERTS_TOPIC_ARN: text("the ARN of the SNS topic").check(z.startsWith("arn:", "the ARN of the SNS topic")),
  ...mode,
});
/** Lists the subaccounts, and cuts them into shards. */
export const SweepEnv = z.object({
  ...twilio,
  ...table,
  SWEEP_QUEUE_URL: httpUrl("https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-sweep"),
  ALERTS_TOPIC_ARN: text("the ARN of the SNS topic").check(z.startsWith("arn:", "the ARN of the SNS topic")),
});
/** Sweeps one shard. */
export const SweepShardEnv = z.object({
  ...publicUrl,
  ...twilio,
  ...table,
  ...inbox,
  ALERTS_TOPIC_ARN: text("the ARN of the SNS topic").check(z.startsWith("arn:", "the ARN of the SNS topic")),
  ...mode,
  /** `on`: once a GMT day people are told how many accounts are armed and quiet. */
  DAILY_SUMMARY: z._default(z.enum(["on", "off"], "on or off"), "off"),
});
export const NotifyEnv = z.object({
  NOTIFY_QUEUE_URL: httpUrl("https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-notify"),
  /** For where each incident's message is in Slack, alone. */
  ...table,
  ...slack,
  /** Of the channel that the app posts to. */
  SLACK_CHANNEL: z.optional(z.string().check(z.regex(/^[CG][A-Z0-9]{2,}$/, "a channel's ID such as C012ABCDEF"))),
  ...secret("SLACK_WEBHOOK_URL"),
});
export const OperatorApiEnv = z.object({
  ...publicUrl,
  // Whose SID, and no more: what it accepts, the responder carries out, so it holds no credentials of Twilio's.
  ...parent,
  ...table,
  ...inbox,
  ...mode,
  ...secret("OPERATORS"),
});

/** The same road as the operator API's, from Slack: it holds no credentials of Twilio's either. */
export const SlackEnv = z.object({
  ...publicUrl,
  ...parent,
  ...table,
  ...inbox,
  ...mode,
  ...secret("OPERATORS"),
  ...slack,
  ...secret("SLACK_SIGNING_SECRET"),
  /** The only workspace whose users are let in; without it, none are. */
  SLACK_TEAM_ID: z.optional(z.string().check(z.regex(/^[TE][A-Z0-9]{2,}$/, "a workspace's ID such as T012ABCDEF"))),
});

/**
 * Reads `environment` by `schema`. An empty variable counts as unset.
 * @throws TollbreakerError `config-invalid`, naming every variable that is wrong, and what was expected of it.
 */
export function readConfig<T extends z.core.$ZodType>(
  schema: T,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<T> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = z.safeParse(schema, present);
  if (result.success) return result.data;
  const names = result.error.issues.map((issue) => issue.path.join("."));
  throw new TollbreakerError("config-invalid", `The configuration cannot be used: ${names.join(", ")}.`, {
    expected: result.error.issues.map((issue) => `${issue.path.join(".")} to be ${issue.message}`).join("; "),
    got: names.map((name) => `${name}=${shown(present[name])}`).join(", "),
    fix: "set these environment variables; docs/configuration.md lists them all",
  });
}

// What is no URL at all has its own message. A query or fragment that is empty still has its mark.
function isBare(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return `${username}${password}` === "" && !/[?#]/.test(url);
}

function hasNoSpace(url: string): boolean {
  return !/[\s\p{C}]/u.test(url);
}

function isWithoutWebhooks(url: string): boolean {
  return !URL.canParse(url) || !/\/webhooks(\/|$)/i.test(new URL(url).pathname);
}

/**
 * One spelling of each address, for what Twilio is told and for what signatures are checked against: Twilio signs the
 * address as it was told it, and whether it spells a host in capitals or a default port as we did is not documented.
 */
export function canonicalUrl(url: string): string {
  return URL.parse(url)?.href.replace(/\/+$/, "") ?? url;
}

// This ends up in a log, where no password belongs.
function shown(value: string | undefined): string {
  return value === undefined ? "(not set)" : JSON.stringify(value.replace(/\/\/[^/]*@/, "//(hidden)@"));
}
