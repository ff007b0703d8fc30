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

const httpUrl = (example: string) => z.url({ protocol: /^https?$/, error: `an http or https URL such as ${example}` });
const text = (what: string) => z.string({ error: what }).check(z.minLength(1, what));
const secret = (name: string) => ({ [name]: z.optional(z.string()), [`${name}_PARAMETER`]: z.optional(z.string()) });

const publicUrl = { PUBLIC_URL: httpUrl("https://abc123.execute-api.eu-west-1.amazonaws.com") };
const twilio = {
  TWILIO_ACCOUNT_SID: z
    .string({ error: "the parent's Account SID: AC and 32 hexadecimal digits" })
    .check(z.regex(ACCOUNT_SID, "the parent's Account SID: AC and 32 hexadecimal digits")),
  ...secret("TWILIO_AUTH_TOKEN"),
  TWILIO_API_URL: z.optional(httpUrl("http://127.0.0.1:3001")),
};
const table = { TABLE_NAME: text("the name of the DynamoDB table") };

export const UsageTriggerEnv = z.object({
  ...publicUrl,
  ...twilio,
  INBOX_QUEUE_URL: httpUrl("https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-inbox.fifo"),
});
export const RespondEnv = z.object({
  ...publicUrl,
  ...twilio,
  ...table,
  ALERTS_TOPIC_ARN: z.string().check(z.startsWith("arn:", "the ARN of the SNS topic: arn:aws:sns:...")),
  /** `observe` records and alerts, and suspends nothing. */
  MODE: z._default(z.enum(["enforce", "observe"], "enforce or observe"), "enforce"),
});
export const NotifyEnv = z.object({
  NOTIFY_QUEUE_URL: httpUrl("https://sqs.eu-west-1.amazonaws.com/123456789012/tollbreaker-notify"),
  ...secret("SLACK_WEBHOOK_URL"),
});
export const OperatorApiEnv = z.object({ ...publicUrl, ...table, ...secret("OPERATORS") });

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
    got: names
      .map((name) => `${name}=${present[name] === undefined ? "(not set)" : JSON.stringify(present[name])}`)
      .join(", "),
    fix: "set these environment variables; docs/configuration.md lists them all",
  });
}
