import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { build } from "esbuild";
import pLimit from "p-limit";
import { expect } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { type Parked, readFollowUp } from "../../lib/inbox/follow-up.ts";
import { readMessage } from "../../lib/inbox/inbox.ts";
import type { Message } from "../../lib/inbox/messages.ts";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { EVERY_CASE } from "./every-case.ts";
import { type FaultProxy, type SeenRequest, startFaultProxy } from "./fault-proxy.ts";
import { PUBLIC_URL, type Rig } from "./responder-rig.ts";
import { sameDate } from "./shifted-date.ts";
import { recordOf } from "./sqs-record.ts";

/**
 * The real responder in processes of its own, each killed with SIGKILL at one of the requests by which it changes
 * something, anywhere. A second process then gets the same message, as from SQS.
 */
export interface Lives {
  /** A policy file for the processes. */
  policyFile(yaml: string): Promise<string>;
  /**
   * Kills one life after each of its requests that write, one before the first of them, and lets a second life finish. Two
   * lives take seconds, so every eighth death is tried, and others in each case: all of them with `EVERY_CASE=1`.
   * @param make prepares an account and its message, for each death anew.
   * @param meanwhile what happens between the two lives.
   */
  killEverywhere<M extends Message>(
    make: () => M | Promise<M>,
    policyFile: string,
    meanwhile?: (message: M) => Promise<void>,
  ): Promise<Death<M>[]>;
  close(): void;
}

export interface Death<M extends Message> {
  message: M;
  /** Where it died, in words. */
  death: string;
  killed: boolean;
}

type When = "before" | "after";

interface Life {
  killed: boolean;
  requests: readonly SeenRequest[];
  output: string;
}

interface Circumstances {
  death?: { at: number; when: When };
  policyFile: string;
  /** When an earlier life suspended the account without writing it down. */
  containedAt?: string | undefined;
}

const SCRIPT = fileURLToPath(new URL("./respond-once.ts", import.meta.url));
const FINISHED = JSON.stringify({ batchItemFailures: [] });

export function livesIn(rig: Rig): Lives {
  const directory = mkdtempSync(join(tmpdir(), "tollbreaker-lives-"));
  const script = bundled(SCRIPT, directory);
  // More would starve one another, and take their own store for a slow one.
  const atOnce = pLimit(2);
  const step = EVERY_CASE ? 1 : 8;
  let cases = 0;
  const sqs = new SQSClient({ endpoint: rig.aws.messagingUrl });

  /** Lets the function live once; it dies at its `at`th request that writes. */
  async function live(message: Message, attempt: number, circumstances: Circumstances): Promise<Life> {
    const { death, policyFile, containedAt } = circumstances;
    const targets = [rig.simulator.url, rig.aws.dynamoUrl, rig.aws.messagingUrl];
    const proxies = await Promise.all(targets.map(startFaultProxy));
    const event = { EVENT: JSON.stringify([recordOf(message, { attempt, containedAt })]), POLICY_FILE: policyFile };
    const environment = environmentOf(proxies, event);
    const child = spawn(process.execPath, [await script], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
    const requests: SeenRequest[] = [];
    watch(child, proxies, requests, death);
    const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
    await Promise.all(proxies.map((proxy) => proxy.close()));
    return { killed: child.signalCode === "SIGKILL", requests, output };
  }

  function environmentOf([twilio, dynamo, messaging]: readonly FaultProxy[], more: Record<string, string>) {
    const { accountSid, authToken } = rig.simulator.parent();
    return {
      ...LOCAL_CREDENTIALS,
      ...sameDate(),
      // Each life loads the same modules: compiled once is enough.
      NODE_COMPILE_CACHE: directory,
      LOG_FILE: "/dev/null",
      PUBLIC_URL,
      TWILIO_API_URL: twilio?.url,
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo?.url,
      AWS_ENDPOINT_URL_SNS: messaging?.url,
      TABLE_NAME: rig.aws.tableName,
      ALERTS_TOPIC_ARN: rig.aws.topicArn,
      INBOX_QUEUE_URL: rig.aws.inboxUrl,
      FOLLOW_UP_QUEUE_URL: rig.aws.followUpUrl,
      FOLLOW_UP_DEAD_LETTERS_URL: rig.aws.followUpDeadLettersUrl,
      ...more,
    };
  }

  /** Lets what the lives left to the follow-up queue be done, until nothing of it is left. */
  async function finishAll(policyFile: string): Promise<void> {
    const parked = await drain();
    await Promise.all(parked.map((one) => atOnce(() => liveAgain(one, policyFile))));
    const accounts = new Set(rig.followUps.flatMap((one) => (one.kind === "incident" ? [one.accountSid] : [])));
    const left = await Promise.all([...accounts].map((accountSid) => rig.followUp(accountSid)));
    // Whoever was killed at it had it for some seconds; the brake's alerts wait for one another, and what is parked, too.
    await systemClock.sleep(2500);
    if (parked.length > 0 || accounts.size > 0 || left.flat().length > 0) return finishAll(policyFile);
  }

  async function liveAgain({ body, tries, containedAt }: Parked, policyFile: string): Promise<void> {
    await live(readMessage(body), tries + 1, { policyFile, containedAt: containedAt ?? undefined });
  }

  /** @returns what was parked; what is due on incidents is the rig's. */
  async function drain(parked: readonly Parked[] = []): Promise<readonly Parked[]> {
    const QueueUrl = rig.aws.followUpUrl;
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 300 }),
    );
    const received = messages.map(({ Body = "" }) => readFollowUp(Body));
    for (const { ReceiptHandle } of messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    rig.followUps.push(...received.filter(({ kind }) => kind !== "parked"));
    const all = [...parked, ...received.filter((one) => one.kind === "parked")];
    return messages.length > 0 ? drain(all) : all;
  }

  return {
    async policyFile(yaml) {
      const file = join(directory, `${randomUUID()}.yml`);
      await writeFile(file, yaml);
      return file;
    },
    async killEverywhere(make, policyFile, meanwhile) {
      const whole = await live(await make(), 1, { policyFile });
      expect(whole.output).toBe(FINISHED);
      const nth = cases++;
      const chosen = deathsIn(whole.requests).filter((_, index) => (index + nth) % step === 0);
      const deaths = await atOnce.map(chosen, async (death) => {
        const message = await make();
        const { killed } = await live(message, 1, { death, policyFile });
        await meanwhile?.(message);
        const second = await live(message, 2, { policyFile });
        const words = `${death.when} request ${death.at}`;
        expect(second.output, `the second life, after a death ${words}`).toBe(FINISHED);
        return { message, death: words, killed };
      });
      await finishAll(policyFile);
      return deaths;
    },
    close() {
      sqs.destroy();
      rmSync(directory, { recursive: true });
    },
  };
}

/** One file, as is deployed: a process starts in half the time that it would take with each module by itself. */
async function bundled(script: string, directory: string): Promise<string> {
  const outfile = join(directory, "life.mjs");
  // As serverless.yml says.
  const js = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
  await build({
    ...{ entryPoints: [script], outfile, bundle: true, format: "esm", platform: "node", target: "node24" },
    ...{ mainFields: ["module", "main"], minifyWhitespace: true, minifySyntax: true, banner: { js } },
    logLevel: "error",
  });
  return outfile;
}

/**
 * What a killed process leaves behind changes only with the requests that write: a death between two of them, wherever, is
 * the same as one right after the first.
 */
function deathsIn(requests: readonly SeenRequest[]): { at: number; when: When }[] {
  const writing = requests.filter((request) => !isReading(request));
  return [{ at: 1, when: "before" }, ...writing.map((_, index) => ({ at: index + 1, when: "after" as const }))];
}

function isReading({ method, operation }: SeenRequest): boolean {
  return method === "GET" || /^(Get|BatchGet|Query)/.test(operation);
}

function watch(
  child: ChildProcess,
  proxies: readonly FaultProxy[],
  requests: SeenRequest[],
  death: Circumstances["death"],
): void {
  const hook = async (request: SeenRequest) => {
    requests.push(request);
    // How many it reads in between may differ from life to life.
    if (isReading(request) || requests.filter((one) => !isReading(one)).length !== death?.at) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    // What is thrown here keeps the proxy from passing the request on.
    throw new Error("the client is dead");
  };
  for (const proxy of proxies) proxy.fail({ when: death?.when ?? "before", do: "call", hook });
}
