import { describe, expect, test } from "vitest";
import { NotifyEnv, OperatorApiEnv, RespondEnv, readConfig, UsageTriggerEnv } from "../../lib/config.ts";
import { TollbreakerError } from "../../lib/errors.ts";
import { callbackUrl } from "../../lib/triggers/callback.ts";
import { signForm } from "../../lib/twilio/signature.ts";
import { isSignedWith } from "../support/signatures.ts";

const good = {
  PUBLIC_URL: "https://tollbreaker.example.com",
  TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`,
  INBOX_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/123456789012/inbox.fifo",
  FOLLOW_UP_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/123456789012/follow-up",
  FOLLOW_UP_DEAD_LETTERS_URL: "https://sqs.eu-west-1.amazonaws.com/123456789012/follow-up-dead-letters",
  NOTIFY_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/123456789012/notify",
  TABLE_NAME: "tollbreaker",
  ALERTS_TOPIC_ARN: "arn:aws:sns:eu-west-1:123456789012:alerts",
};

const schemas = { UsageTriggerEnv, RespondEnv, NotifyEnv, OperatorApiEnv };
type Name = keyof typeof schemas;

function problemWith(name: Name, environment: Record<string, string>): TollbreakerError {
  try {
    readConfig(schemas[name], environment);
  } catch (error) {
    if (error instanceof TollbreakerError) return error;
  }
  throw new Error("the configuration was taken");
}

test("what a function needs is read; an empty variable counts as unset; others are left alone", () => {
  const environment = { ...good, TWILIO_API_URL: "", TWILIO_AUTH_TOKEN: "t", PATH: "/bin" };
  expect(readConfig(UsageTriggerEnv, environment)).toEqual({
    PUBLIC_URL: good.PUBLIC_URL,
    TWILIO_ACCOUNT_SID: good.TWILIO_ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: "t",
    INBOX_QUEUE_URL: good.INBOX_QUEUE_URL,
  });
  expect(readConfig(RespondEnv, good)).toMatchObject({ MODE: "enforce" });
  expect(readConfig(RespondEnv, { ...good, MODE: "observe" })).toMatchObject({ MODE: "observe" });
});

test.each([
  ["http://127.0.0.1:3000", "http://127.0.0.1:3000"],
  ["https://webhooks.example.com", "https://webhooks.example.com"],
  ["https://example.com/prod/base", "https://example.com/prod/base"],
  ["https://example.com/webhooks-prod", "https://example.com/webhooks-prod"],
  ["https://example.com/", "https://example.com"],
  ["https://example.com/prod//", "https://example.com/prod"],
  ["https://EXAMPLE.com/Prod", "https://example.com/Prod"],
  ["HTTPS://example.com", "https://example.com"],
  ["https://example.com:443/prod", "https://example.com/prod"],
  ["http://example.com:80", "http://example.com"],
  ["https://example.com:8443/x/", "https://example.com:8443/x"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
  ["https://example.com/a/../b", "https://example.com/b"],
])("PUBLIC_URL may be %s, which is %s", (given, PUBLIC_URL) => {
  expect(readConfig(UsageTriggerEnv, { ...good, PUBLIC_URL: given })).toMatchObject({ PUBLIC_URL });
});

test.each(["https://EXAMPLE.com:443/Prod//", "http://example.com:80", "https://example.com:8443/x/"])(
  "with the PUBLIC_URL %s, what Twilio was told is what is verified, and has one spelling",
  (given) => {
    const { PUBLIC_URL } = readConfig(UsageTriggerEnv, { ...good, PUBLIC_URL: given });
    const url = callbackUrl(PUBLIC_URL, { limit: "daily-spend" });
    const [told = ""] = url.split("#");
    expect(new URL(told).href).toBe(told);
    const form = new Map([["AccountSid", [good.TWILIO_ACCOUNT_SID]]]);
    const received = `${PUBLIC_URL}/webhooks/usage-trigger${new URL(told).search}`;
    expect(isSignedWith("token", signForm("token", { url: told, form }), { url: received, form })).toBe(true);
  },
);

describe("a message names the variable, what was expected and what came", () => {
  const url = "an http or https URL such as https://abc123.execute-api.eu-west-1.amazonaws.com";
  test.each<[Name, string, string, string]>([
    ["UsageTriggerEnv", "PUBLIC_URL", "tollbreaker.example.com", url],
    ["UsageTriggerEnv", "PUBLIC_URL", "ftp://example.com", url],
    ["UsageTriggerEnv", "PUBLIC_URL", "https:example.com", url],
    ["OperatorApiEnv", "PUBLIC_URL", "https://example.com/?a=1", `${url}, without user name, query or fragment`],
    ["OperatorApiEnv", "PUBLIC_URL", "https://example.com/#a", `${url}, without user name, query or fragment`],
    ...["https://example.com?", "https://example.com/#", "https://example.com/api?", "https://example.com/api?#"].map(
      (value): [Name, string, string, string] => [
        "UsageTriggerEnv",
        "PUBLIC_URL",
        value,
        `${url}, without user name, query or fragment`,
      ],
    ),
    ...[
      "https://example.com/webhooks",
      "https://example.com/Webhooks/",
      "https://example.com/a/webhooks/usage-trigger",
    ].map((value): [Name, string, string, string] => [
      "UsageTriggerEnv",
      "PUBLIC_URL",
      value,
      "the base URL alone, without /webhooks and what follows it",
    ]),
    [
      "RespondEnv",
      "TWILIO_API_URL",
      "http://127.0.0.1:3001?",
      "an http or https URL such as http://127.0.0.1:3001, without user name, query or fragment",
    ],
    ["UsageTriggerEnv", "TWILIO_ACCOUNT_SID", "SK123", "the parent's Account SID: AC and 32 hexadecimal digits"],
    ["RespondEnv", "TWILIO_API_URL", "localhost:3001", "an http or https URL such as http://127.0.0.1:3001"],
    ["RespondEnv", "ALERTS_TOPIC_ARN", "alerts", "the ARN of the SNS topic"],
    ["RespondEnv", "MODE", "dry-run", "enforce or observe"],
  ])("%s: %s=%s", (name, variable, value, expected) => {
    expect(problemWith(name, { ...good, [variable]: value })).toMatchObject({
      code: "config-invalid",
      message:
        `The configuration cannot be used: ${variable}. Expected: ${variable} to be ${expected}. ` +
        `Got: ${variable}="${value}". Fix: set these environment variables; docs/configuration.md lists them all.`,
    });
  });

  test.each<[Name, string, RegExp]>([
    ["UsageTriggerEnv", "PUBLIC_URL", /^an http or https URL such as \S+$/],
    ["UsageTriggerEnv", "TWILIO_ACCOUNT_SID", /^the parent's Account SID/],
    ["UsageTriggerEnv", "INBOX_QUEUE_URL", /^an http or https URL such as \S+\.fifo$/],
    ["RespondEnv", "TABLE_NAME", /^the name of the DynamoDB table$/],
    ["RespondEnv", "FOLLOW_UP_QUEUE_URL", /^an http or https URL such as \S+-follow-up$/],
    ["RespondEnv", "FOLLOW_UP_DEAD_LETTERS_URL", /^an http or https URL such as \S+-follow-up-dead-letters$/],
    ["RespondEnv", "ALERTS_TOPIC_ARN", /^the ARN of the SNS topic$/],
    ["NotifyEnv", "NOTIFY_QUEUE_URL", /^an http or https URL such as \S+$/],
    ["OperatorApiEnv", "TABLE_NAME", /^the name of the DynamoDB table$/],
  ])("%s: without %s", (name, variable, expected) => {
    const problem = problemWith(name, { ...good, [variable]: "" });
    expect(problem.expected?.replace(`${variable} to be `, "")).toMatch(expected);
    expect(problem.got).toBe(`${variable}=(not set)`);
  });

  test.each([
    " https://example.com",
    "https://example.com ",
    "https://example.com/\nx",
    "https://exam\tple.com",
    "https://example.com/\u200b",
  ])("PUBLIC_URL=%j", (PUBLIC_URL) => {
    expect(problemWith("UsageTriggerEnv", { ...good, PUBLIC_URL }).expected).toBe(
      `PUBLIC_URL to be ${url}, without white space or control characters`,
    );
  });

  test("all of them at once", () => {
    expect(problemWith("RespondEnv", { MODE: "x" }).message).toMatch(
      /: PUBLIC_URL, TWILIO_ACCOUNT_SID, TABLE_NAME, INBOX_QUEUE_URL, FOLLOW_UP_QUEUE_URL, FOLLOW_UP_DEAD_LETTERS_URL, ALERTS_TOPIC_ARN, MODE\./,
    );
  });

  test("without a password", () => {
    const problem = problemWith("UsageTriggerEnv", { ...good, PUBLIC_URL: "https://ada:secret@example.com" });
    expect(problem.message).toContain('PUBLIC_URL="https://(hidden)@example.com"');
    expect(problem.message).not.toContain("secret");
  });
});
