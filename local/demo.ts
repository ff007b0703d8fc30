import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../lib/errors.ts";
import { story } from "./demo-story.ts";
import { type System, startSystem } from "./system.ts";

/**
 * `npm run demo`: an attack on one of several subaccounts, told as it happens. Everything is real but Twilio and the
 * money: the handlers, the signatures, the queues, the table, the HTTP between them. Exit code 0 when the story ended
 * as it should.
 */
const ATTACKS = ["sms-pumping", "toll-fraud"] as const;
type AttackName = (typeof ATTACKS)[number];

/** Simulated seconds in a real one. */
const TIME_FACTOR = 12;
/** Twilio evaluates triggers about once a minute: https://www.twilio.com/docs/usage/api/usage-trigger */
const EVALUATE_EVERY_MS = 60_000 / TIME_FACTOR;

const say = (line = "") => process.stdout.write(`${line}\n`);

async function main(attack: AttackName): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-demo-"));
  const told: string[][] = [];
  const system = await startSystem({
    environment: { LOG_FILE: join(dataDir, "log.jsonl") },
    dataDir,
    port: 0,
    simulator: { evaluateEveryMs: EVALUATE_EVERY_MS, ordinaryTraffic: { timeFactor: TIME_FACTOR } },
    print: (lines) => told.push(lines),
  });
  try {
    const incidentId = await story({ system, attack, timeFactor: TIME_FACTOR, slack: told, say });
    say("The incident, as `npm run -s tollbreaker -- incidents show` prints it:");
    say();
    await showIncident(system, incidentId);
  } finally {
    await system.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function showIncident({ url, operatorToken }: System, incidentId: string): Promise<void> {
  const environment = { ...process.env, TOLLBREAKER_URL: url, TOLLBREAKER_TOKEN: operatorToken };
  const child = spawn(process.execPath, ["cli/main.ts", "incidents", "show", incidentId], {
    env: environment,
    stdio: "inherit",
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`the command line ended with exit code ${code}`);
}

function readAttack(): AttackName {
  const { values } = parseArgs({ options: { attack: { type: "string", default: "sms-pumping" } } });
  const attack = ATTACKS.find((name) => name === values.attack);
  if (attack === undefined) throw new Error(`--attack: expected one of ${ATTACKS.join(", ")}, got ${values.attack}`);
  return attack;
}

try {
  await main(readAttack());
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
