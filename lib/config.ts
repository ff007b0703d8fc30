import * as z from "zod/mini";
import { TollbreakerError } from "./errors.ts";

/**
 * What each function reads from its environment, as schemas, so that one place says it, a start fails with a clear
 * error, and the tests of the template can ask which variables a function needs.
 *
 * A secret is named twice: `X` holds the value itself (local runs), `X_PARAMETER` the name of an SSM SecureString that
 * holds it (AWS). `lib/secrets.ts` reads whichever is set.
 */

const httpUrl = z.url({ protocol: /^https?$/ });
const accountSid = z.string().check(z.regex(/^AC[0-9a-fA-F]{32}$/));
const secret = (name: string) => ({ [name]: z.optional(z.string()), [`${name}_PARAMETER`]: z.optional(z.string()) });

const publicUrl = { PUBLIC_URL: httpUrl };
const twilio = {
  TWILIO_ACCOUNT_SID: accountSid,
  ...secret("TWILIO_AUTH_TOKEN"),
  TWILIO_API_URL: z.optional(httpUrl),
};

export const UsageTriggerEnv = z.object({ ...publicUrl, ...twilio, INBOX_QUEUE_URL: httpUrl });
export const RespondEnv = z.object({
  ...publicUrl,
  ...twilio,
  TABLE_NAME: z.string().check(z.minLength(1)),
  ALERTS_TOPIC_ARN: z.string().check(z.startsWith("arn:")),
  /** `observe` records and alerts, and suspends nothing. */
  MODE: z._default(z.enum(["enforce", "observe"]), "enforce"),
});
export const NotifyEnv = z.object({ NOTIFY_QUEUE_URL: httpUrl, ...secret("SLACK_WEBHOOK_URL") });
export const OperatorApiEnv = z.object({
  ...publicUrl,
  TABLE_NAME: z.string().check(z.minLength(1)),
  ...secret("OPERATORS"),
});

/**
 * Reads `environment` by `schema`. An empty variable counts as unset.
 * @throws TollbreakerError `config-invalid`, naming every variable that is wrong, what was expected and how to set it.
 */
export function readConfig<T extends z.core.$ZodType>(
  schema: T,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<T> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = z.safeParse(schema, present);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new TollbreakerError("config-invalid", "The configuration cannot be used.", {
    expected: problems.join("; "),
    fix: "set these environment variables; docs/configuration.md lists them all with an example each",
  });
}
