import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type PublishCommandInput, SNSClient } from "@aws-sdk/client-sns";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod/mini";
import type { Alert } from "../../../lib/alerts/alert.ts";
import { alertOf } from "../../../lib/alerts/alert-of.ts";
import { type AlertOccasion, composeAlert } from "../../../lib/alerts/compose.ts";
import { type Notice, notice } from "../../../lib/alerts/notice.ts";
import { snsPublisher } from "../../../lib/alerts/publish.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import { ROADS } from "../../../lib/inbox/commands.ts";
import { CHECK_ANSWERS, CHECK_IDS, CLEANUP_IDS } from "../../../lib/incidents/checklist.ts";
import { ALERT_SUBJECTS, ALERTED_BECAUSE, INCIDENT_STATES, type Incident } from "../../../lib/incidents/incident.ts";
import { jsonLog } from "../../../lib/log.ts";
import fc from "../../support/fast-check.ts";
import { checklist, examples, incident, pumping, ranking, reactivation, SID } from "./examples.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
let broker: FauxqsServer;
let client: SNSClient;
let topicArn: string;

beforeAll(async () => {
  broker = await startFauxqs({ port: 0, logger: false });
  topicArn = broker.createTopic("alerts").topicArn;
  broker.createQueue("raw");
  broker.createQueue("wrapped");
  broker.subscribe({ topic: "alerts", queue: "raw", attributes: { RawMessageDelivery: "true" } });
  broker.subscribe({ topic: "alerts", queue: "wrapped" });
  client = new SNSClient({ endpoint: `http://127.0.0.1:${broker.port}`, region: "us-east-1", credentials });
});
afterAll(async () => {
  client.destroy();
  await broker.stop();
});

const arrived = (queue: string) => broker.inspectQueue(queue)?.messages.ready ?? [];

it("publishes once, with a form for people and one for machines", async () => {
  const alert = composeAlert(examples.suspended);
  const { messageId } = await snsPublisher({ client, topicArn }).publish(alert);
  expect(messageId).toMatch(/\S/);

  expect(arrived("raw")).toHaveLength(1);
  // The emulator passes on all the forms together; SNS itself picks the subscriber's.
  const forms: Record<string, string> = JSON.parse(arrived("raw")[0]?.body ?? "");
  expect(Object.keys(forms).sort()).toEqual(["default", "email", "http", "https", "lambda", "sqs"]);
  expect([forms["default"], forms["email"]]).toEqual([alert.text, alert.text]);
  for (const protocol of ["sqs", "lambda", "https", "http"]) expect(JSON.parse(forms[protocol] ?? "")).toEqual(alert);

  const envelope: unknown = JSON.parse(arrived("wrapped")[0]?.body ?? "");
  expect(envelope).toMatchObject({
    Subject: `Suspended: Acme Europe ${SID}`,
    MessageAttributes: {
      state: { Type: "String", Value: "suspended" },
      severity: { Type: "String", Value: "critical" },
      account: { Type: "String", Value: SID },
    },
  });
});

it("tells SNS that the message has a form per protocol", async () => {
  const requests: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = await Array.fromAsync(request);
    requests.push(new URLSearchParams(Buffer.concat(chunks).toString()));
    response.end("<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const sns = new SNSClient({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials });
  try {
    expect(await snsPublisher({ client: sns, topicArn }).publish(composeAlert(examples.failed))).toEqual({
      messageId: "m-1",
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.get("Action")).toBe("Publish");
    expect(requests[0]?.get("MessageStructure")).toBe("json");
    expect(requests[0]?.get("TopicArn")).toBe(topicArn);
  } finally {
    sns.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

it("fits into one message even when every text is long", async () => {
  const long = "﷽".repeat(9000);
  const failure = { twilioCode: null, message: long, retrying: false };
  const alert = composeAlert({
    ...examples.failed,
    incident: incident({ friendlyName: long, rule: long, reason: long, failure }),
  });
  // The emulator enforces SNS's 256 KB.
  await expect(snsPublisher({ client, topicArn }).publish(alert)).resolves.toBeDefined();
});

describe("whatever is to be told", () => {
  /** Takes everything, and keeps it as SNS would see it. */
  function recordingPublisher() {
    const lines: string[] = [];
    const sent: PublishCommandInput[] = [];
    const recording = new SNSClient({ region: "us-east-1", credentials });
    recording.middlewareStack.add(
      () => async (args) => {
        sent.push(z.parse(PublishInput, args.input));
        return { output: { $metadata: {}, MessageId: "m" }, response: {} };
      },
      { step: "initialize", name: "recording" },
    );
    const publisher = snsPublisher({ client: recording, topicArn, log: jsonLog((line) => lines.push(line)) });
    const publish = async (alert: Alert | Notice) => {
      await publisher.publish(alert);
      const message = sent.pop();
      if (message === undefined) throw new Error("nothing was sent");
      assertTakenBySns(message);
      return Forms.parse(JSON.parse(message.Message ?? ""));
    };
    return { publish, lines };
  }
  const PublishInput = z.object({
    Subject: z.string(),
    Message: z.string(),
    MessageAttributes: z.record(z.string(), z.object({ DataType: z.string(), StringValue: z.string() })),
  });
  const Forms = z.object({ default: z.string(), email: z.string(), sqs: z.string(), https: z.string() });

  /** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
  function assertTakenBySns({ Subject = "", Message = "", MessageAttributes = {} }: PublishCommandInput) {
    expect(Subject).toMatch(/^[!-~][\x20-\x7e]{0,98}$/);
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    expect(Message).toMatch(/^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]+$/u);
    const attributes = Object.entries(MessageAttributes).flatMap(([name, one]) => [name, ...Object.values(one)]);
    for (const text of attributes) expect(text).toMatch(/^[\x20-\x7e]+$/);
    const bytes = [Subject, Message, ...attributes].reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), 0);
    expect(bytes).toBeLessThanOrEqual(262_144);
  }

  const long = (unit: string) => unit.repeat(20_000 / unit.length);
  const words = fc.oneof(
    { weight: 5, arbitrary: fc.string({ unit: "binary", maxLength: 50 }) },
    {
      weight: 5,
      arbitrary: fc.constantFrom(
        "",
        '"',
        "\\",
        "\ufffe\uffff",
        "\ud800",
        "https://evil.com",
        "+81",
        "1E+2",
        "NaN",
        "-",
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...['"', "\\", "\u0000", "😀", "﷽", "&"].map(long)) },
  );
  const number = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.constantFrom(0, -1, 1e308, Number.NaN, Number.POSITIVE_INFINITY),
  );
  const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null });
  const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 20 });
  const asked = { command: words, operator: words, road: fc.constantFrom(...ROADS), reason: words, at: words };
  const checks = many(
    fc.record({ id: fc.constantFrom(...CHECK_IDS), answer: fc.constantFrom(...CHECK_ANSWERS), why: words }),
  );
  const anyIncident: fc.Arbitrary<Incident> = fc.record({
    ...{ id: words, accountSid: words, friendlyName: maybe(words), state: fc.constantFrom(...INCIDENT_STATES) },
    ...{ rule: words, reason: words, openedAt: words, updatedAt: words, firedAt: maybe(words), receivedAt: words },
    ...{ suspendedAt: maybe(words), reactivatedAt: maybe(words), because: maybe(fc.constantFrom(...ALERTED_BECAUSE)) },
    recurrence: maybe(fc.record({ limit: words, first: words, previous: words, nth: number })),
    trip: maybe(
      fc.record({
        ...{ usageTriggerSid: words, usageCategory: words, triggerBy: words, recurring: words, triggerValue: words },
        ...{ currentValue: words, overshoot: words, overshootPercent: maybe(words) },
      }),
    ),
    lags: fc.record({
      firedToReceived: maybe(number),
      receivedToSuspended: maybe(number),
      firedToSuspended: maybe(number),
    }),
    containment: maybe(
      fc.record({
        by: fc.constantFrom("tollbreaker", "already-suspended", "suspended-by-twilio", "closed"),
        ...{ callsEnded: number, callsLeft: maybe(number) },
      }),
    ),
    failure: maybe(fc.record({ twilioCode: maybe(number), message: words, retrying: fc.boolean() })),
    evidence: maybe(
      fc.record({ currency: words, categoryPriceToday: maybe(words), totalPriceToday: maybe(words), readAt: words }),
    ),
    errors: maybe(
      fc.record({
        ...{ count: number, within: number, firstAt: words, lastAt: words },
        samples: many(fc.record({ sid: words, code: number, at: words, note: words })),
      }),
    ),
    ranking: maybe(
      fc.record({
        ...{ currency: words, total: words, unread: number, readAt: words },
        spenders: many(fc.record({ accountSid: words, friendlyName: words, price: words, share: maybe(words) })),
      }),
    ),
    signals: number,
    alerts: many(
      fc.record({
        ...{ id: words, about: fc.constantFrom(...ALERT_SUBJECTS), rule: words, at: words, publishedAt: maybe(words) },
        ...{ because: maybe(fc.constantFrom(...ALERTED_BECAUSE)), problem: maybe(words), note: maybe(words) },
        ...{ isNamed: fc.boolean(), saidCallsLive: fc.boolean() },
      }),
    ),
    checklist: maybe(fc.record({ readAt: words, items: checks })),
    suspension: maybe(fc.record(asked)),
    dismissal: maybe(fc.record(asked)),
    reactivation: maybe(
      fc.record({
        ...asked,
        acknowledge: many(fc.constantFrom(...CHECK_IDS)),
        ...{ cleanup: many(fc.constantFrom(...CLEANUP_IDS)), cleaned: many(fc.constantFrom(...CLEANUP_IDS)) },
        ...{ countries: many(words), seen: checks, guards: many(words), probationUntil: maybe(words) },
        ...{ activatedAt: maybe(words), suspendedFor: maybe(number), failure: maybe(words) },
      }),
    ),
  });
  const anyOccasion: fc.Arbitrary<AlertOccasion> = fc.record({
    ...{ about: fc.constantFrom(...ALERT_SUBJECTS), incident: anyIncident, at: words, incidentUrl: words },
    ...{ because: maybe(fc.constantFrom(...ALERTED_BECAUSE)), problem: maybe(words), note: maybe(words) },
    waiting: many(fc.record({ accountSid: words, friendlyName: maybe(words) })),
  });

  it("of an incident, SNS takes it, people read it, and Slack's queue knows it", { timeout: 120_000 }, async () => {
    const { publish, lines } = recordingPublisher();
    await fc.assert(
      fc.asyncProperty(anyOccasion, async (occasion) => {
        const forms = await publish(
          alertOf(
            occasion,
            jsonLog((line) => lines.push(line)),
          ),
        );
        expect(forms.default).toBe(forms.email);
        expect(forms.email).toMatch(/\S/);
        expect(JSON.parse(forms.sqs)).toMatchObject({ about: occasion.about, subject: expect.stringMatching(/\S/) });
        expect(readNotification(forms.sqs).message.text).toMatch(/\S/);
      }),
      { numRuns: 60 },
    );
  });

  it("as a notice, too", { timeout: 120_000 }, async () => {
    const { publish } = recordingPublisher();
    const anyNotice = fc.record({
      ...{ id: words, subject: words, headline: words, nextStep: words, at: words, drillId: maybe(words) },
      kind: fc.constantFrom("drill" as const, "drift-repaired" as const),
      severity: fc.constantFrom("critical" as const, "info" as const),
      facts: many(fc.record({ label: words, value: words })),
    });
    await fc.assert(
      fc.asyncProperty(anyNotice, async (said) => {
        const forms = await publish(notice(said));
        expect(forms.email).toMatch(/\S/);
        expect(readNotification(forms.sqs).message.blocks.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  const incidentOf = (told: string): Alert["incident"] => JSON.parse(told).incident;
  const quotes = '"'.repeat(1000);
  const samples = Array.from({ length: 60 }, () => ({ sid: "NO1", code: 30450, at: "", note: quotes }));
  const earlier = Array.from({ length: 60 }, () => ({
    ...{ id: quotes, about: "alerted" as const, rule: quotes, because: null, problem: quotes, note: quotes, at: "" },
    ...{ isNamed: true, saidCallsLive: false, publishedAt: null },
  }));

  it("fits whole where it can", async () => {
    const { publish } = recordingPublisher();
    const { sqs } = await publish(composeAlert(examples.suspended));
    expect(JSON.parse(sqs)).toEqual(composeAlert(examples.suspended));
  });

  it("loses the earlier alerts first, and says so", async () => {
    const { publish } = recordingPublisher();
    const told = incident({ alerts: earlier, errors: { ...pumping }, checklist, ranking });
    const { sqs, email } = await publish(composeAlert({ ...examples.suspended, incident: told }));
    expect(JSON.parse(sqs)).toMatchObject({ shortened: true, incident: { alerts: [], checklist, ranking } });
    expect(incidentOf(sqs).errors?.samples).toEqual(pumping.samples);
    expect(email).toBe(composeAlert({ ...examples.suspended, incident: told }).text);
  });

  it("then the samples of its errors, the ranking, the words of its check-list, and its long texts", async () => {
    const { publish } = recordingPublisher();
    const huge = { alerts: earlier, errors: { ...pumping, samples: samples.concat(samples, samples, samples) } };
    const { sqs } = await publish(composeAlert({ ...examples.suspended, incident: incident({ ...huge, ranking }) }));
    expect(incidentOf(sqs)).toMatchObject({
      alerts: [],
      errors: { count: 20, samples: [] },
      ranking,
      rule: "daily-sms",
    });
  });

  it("and its core last: which account, what state, by which rule, when; Slack has its buttons all the same", async () => {
    const { publish } = recordingPublisher();
    const guards = Array.from({ length: 5000 }, (_, nth) => `UT${nth}`.padEnd(34, "0"));
    const told = incident({ state: "reactivated", reactivation: reactivation({ guards }), rule: "daily-sms" });
    const { sqs, email } = await publish(composeAlert({ ...examples.reactivated, incident: told }));
    const { id, accountSid, friendlyName, openedAt, suspendedAt } = told;
    const core = { id, accountSid, friendlyName, openedAt, suspendedAt, state: "reactivated", rule: "daily-sms" };
    expect(JSON.parse(sqs)).toMatchObject({ shortened: true, incident: { ...core, trip: null, reason: "" } });
    expect(email).toContain("Reason       the leaked key is revoked");
    expect(readNotification(sqs).alert).toMatchObject({ about: "reactivated", incident: { id, state: "reactivated" } });
  });

  it("in plain words where it can't be composed or written down: logged, counted, and no failing SNS", async () => {
    const { publish, lines } = recordingPublisher();
    const broken: Incident = { ...incident(), trip: JSON.parse('{"usageCategory":7}') };
    const occasion = { ...examples.suspended, incident: broken };
    const alert = alertOf(
      occasion,
      jsonLog((line) => lines.push(line)),
    );
    const { email, sqs } = await publish(alert);
    expect(email).toBe(`Acme Europe (suspended): it was suspended. The details could not be shown: see the incident.

Account      Acme Europe (${SID})
State        suspended
What         it was suspended
Times        alerted for the change of 2026-11-21 03:04:07 UTC

Incident: ${examples.suspended.incidentUrl}
Next: Look at the incident and at the account in Twilio's Console: money may still be running out. The cause is in the log, as alert-not-composed: it is a defect of Tollbreaker.`);
    expect(readNotification(sqs).alert).toMatchObject({ about: "suspended", incident: { accountSid: SID } });
    expect(alert.id).toBe(composeAlert(examples.suspended).id);

    const circular: unknown[] = [];
    circular.push(circular);
    const unwritable = { ...composeAlert(examples.failed), extra: circular };
    expect((await publish(unwritable)).email).toContain("it could not be suspended. The details could not be shown");
    const told = { ...notice({ ...NOTICE }), extra: circular };
    expect((await publish(told)).email).toMatch(/^Rehearsal\. The details could not be shown: see the log\./);

    const logged = lines.map((line) => JSON.parse(line));
    expect(logged.filter(({ event }) => event === "alert-not-composed")).toMatchObject([
      { level: "ERROR", about: "suspended", incidentId: broken.id },
      { level: "ERROR", about: "failed" },
      { level: "ERROR", about: "notice" },
    ]);
    expect(logged.filter(({ AlertsNotComposed }) => AlertsNotComposed === 1)).toHaveLength(3);
  });

  it("in plain words where it is too long whatever is left out: logged and counted, too", async () => {
    const { publish, lines } = recordingPublisher();
    const { email, sqs } = await publish({ ...composeAlert(examples.failed), id: "x".repeat(300_000) });
    expect(email).toContain("it could not be suspended. The details could not be shown");
    expect(JSON.parse(sqs)).toMatchObject({ about: "failed", shortened: true });
    expect(lines.map((line) => JSON.parse(line)).filter((one) => one.AlertsNotComposed === 1)).toHaveLength(1);
  });

  const NOTICE = {
    ...({ id: "drill:1", kind: "drill", severity: "info", subject: "Rehearsal", headline: "A rehearsal." } as const),
    ...{ facts: [], nextStep: "", at: "2026-11-21T03:04:07.000Z", drillId: "1" },
  } as const;
});

it("gives up when it is told to", async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const sns = new SNSClient({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials });
  try {
    const publishing = snsPublisher({ client: sns, topicArn }).publish(
      composeAlert(examples.failed),
      AbortSignal.timeout(50),
    );
    await expect(publishing).rejects.toMatchObject({ code: "alert-not-published" });
  } finally {
    sns.destroy();
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  }
});

it("says what to check when the topic is not there", async () => {
  const missing = "arn:aws:sns:us-east-1:000000000000:missing";
  const failure = await snsPublisher({ client, topicArn: missing })
    .publish(composeAlert(examples.suspended))
    .catch((error: unknown) => error);
  expect(z.parse(z.object({ code: z.string(), message: z.string() }), failure)).toEqual({
    code: "alert-not-published",
    message: expect.stringContaining(`expected: the topic ${missing}`.replace("expected", "Expected")),
  });
});
