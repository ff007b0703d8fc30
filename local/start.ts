import { resolve } from "node:path";
import { messageOf } from "../lib/errors.ts";
import { DEFAULT_DATA_DIR, removeDiscovery, writeDiscovery } from "./discovery.ts";
import { type System, startSystem } from "./system.ts";
import type { TwilioSimulator } from "./twilio/simulator.ts";

/** `npm start`: the whole product on this machine, until Ctrl-C. */
const DEFAULT_PORT = 3000;

const environment = process.env;
const dataDir = environment["DATA_DIR"] || DEFAULT_DATA_DIR;
const port = readPort(environment["PORT"]);
const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  const system = await startSystem({
    environment: { LOG_FILE: `${dataDir}/log.jsonl`, ...environment },
    dataDir,
    port,
    // One more than the brake lets through, and a few: `simulate billing-glitch` shows that it holds.
    simulator: { port: port === 0 ? 0 : port + 1, subaccounts: 8 },
    print: (lines) => say(["", "Slack", ...lines, ""].join("\n")),
  });
  await writeDiscovery(dataDir, {
    url: system.url,
    token: system.operatorToken ?? null,
    simulatorUrl: system.simulator?.url ?? null,
    ...(system.simulator && { simulatedParent: credentialsOf(system.simulator) }),
    publicUrl: system.publicUrl,
    ...(environment["POLICY_FILE"] && { policyFile: resolve(environment["POLICY_FILE"]) }),
    pid: process.pid,
  });
  introduce(system);
  stopOnSignal(system);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

function introduce(system: System): void {
  const { simulator, aws, operatorToken } = system;
  say("Tollbreaker is running.");
  say(`  app        ${system.url}  (webhooks, operator API)`);
  if (system.publicUrl !== system.url) say(`  public URL ${system.publicUrl}`);
  say(
    simulator
      ? `  Twilio     ${simulator.url}  (simulated)`
      : `  Twilio     ${environment["TWILIO_API_URL"] || "https://api.twilio.com"}`,
  );
  say(`  DynamoDB   ${aws.dynamoUrl}  (emulated)`);
  say(`  SQS, SNS   ${aws.messagingUrl}  (emulated)`);
  say(`  Slack      ${slackOf(system)}`);
  say(`  data       ${dataDir}  (incidents, queues, log.jsonl)`);
  if (operatorToken) say(`  operator   Authorization: Bearer ${operatorToken}`);
  if (simulator) introduceAccounts(simulator.subaccounts());
  say("");
  say("Ctrl-C stops it.");
}

function credentialsOf({ parent }: TwilioSimulator) {
  const { accountSid, authToken } = parent();
  return { accountSid, authToken };
}

function slackOf({ slackIsPrinted, publicUrl }: System): string {
  if (slackIsPrinted) return "printed here (set SLACK_WEBHOOK_URL to post it)";
  if (!environment["SLACK_BOT_TOKEN"] || !environment["SLACK_CHANNEL"]) return "SLACK_WEBHOOK_URL";
  const missing = ["SLACK_SIGNING_SECRET", "SLACK_TEAM_ID"].filter((name) => !environment[name]);
  if (missing.length > 0) return `SLACK_CHANNEL  (its buttons are refused: set ${missing.join(" and ")})`;
  return `SLACK_CHANNEL  (buttons: ${publicUrl}/slack/actions)`;
}

function introduceAccounts(accounts: readonly { accountSid: string; friendlyName: string; status: string }[]): void {
  say("");
  say("Simulated subaccounts, each with the usage triggers of the policy:");
  for (const { accountSid, friendlyName, status } of accounts)
    say(`  ${accountSid}  ${status.padEnd(9)}  ${friendlyName}`);
  say("");
  say("Trip one from another shell, then look at the incident:");
  say("  npm run -s tollbreaker -- simulate sms-pumping");
  say("  npm run -s tollbreaker -- incidents list");
}

function stopOnSignal(system: System): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    say("\nStopping: finishing what is being handled.");
    await removeDiscovery(dataDir);
    await system.close();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  if (environment["npm_lifecycle_event"]) stopWithParent(stop);
}

// npm ends its shell, and the shell ends without a word to us: nothing must be left behind.
function stopWithParent(stop: () => Promise<void>): void {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), 500).unref();
}

function readPort(text: string | undefined): number {
  if (!text) return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65535) return port;
  process.stderr.write(
    `PORT cannot be used. Expected: a whole number from 0 to 65534. Got: ${JSON.stringify(text)}.\n`,
  );
  process.exit(2);
}

function explain(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
    return `A port is taken: ${error.message}. Fix: stop what listens there, or set PORT to another one (the simulator takes the next).`;
  }
  return messageOf(error);
}
