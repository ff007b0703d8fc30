import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../lib/errors.ts";
import { loadPolicy } from "../lib/policy/load-policy.ts";
import { comebackStory } from "./demo/comeback.ts";
import { lostWebhookStory } from "./demo/lost-webhook.ts";
import { STORIES } from "./demo/stories.ts";
import type { Story } from "./demo/story.ts";
import { teller } from "./demo/teller.ts";
import { undoStory } from "./demo/undo.ts";
import { type System, startSystem } from "./system.ts";

/**
 * `npm run demo`: something goes wrong, told as it happens. Everything is real but Twilio and the money: the handlers,
 * the signatures, the queues, the table, the HTTP between them. Exit code 0 when the story ended as it should.
 */
const { say, ...told } = teller((line) => process.stdout.write(`${line}\n`));

async function main({ subaccounts, timeFactor, prepare, tell }: Story): Promise<void> {
  const setting = await prepare?.();
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-demo-"));
  const slack: string[][] = [];
  const system = await startSystem({
    environment: { LOG_FILE: join(dataDir, "log.jsonl"), ...setting?.environment },
    dataDir,
    port: 0,
    simulator: { subaccounts, ...paceOf(timeFactor), ...setting?.simulator },
    print: (lines) => slack.push(lines),
  });
  try {
    const { simulator } = system;
    if (simulator === undefined) throw new Error("the demo needs the simulated Twilio: unset TWILIO_ACCOUNT_SID");
    const policy = loadPolicy(process.env);
    const incidentId = await tell({ system, simulator, policy, timeFactor, slack, teller: { say, ...told } });
    say("The incident, as `npm run -s tollbreaker -- incidents show` prints it:");
    say();
    await showIncident(system, incidentId);
  } finally {
    await system.close();
    await setting?.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

// Twilio evaluates triggers about once a minute: https://www.twilio.com/docs/usage/api/usage-trigger
function paceOf(timeFactor: number) {
  return { evaluateEveryMs: 60_000 / timeFactor, ordinaryTraffic: { timeFactor } };
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

const HELP = `npm run demo                        somebody pumps texts through one subaccount
npm run demo -- --attack NAME       or ${Object.keys(STORIES).slice(1).join(", ")}
npm run demo -- --comeback          an account comes back, checked, cleaned and armed
npm run demo -- --undo              a false alarm of many accounts, undone by one command
npm run demo -- --lost-webhook      the webhook is dropped on the way, and the sweep finds the firing`;

function explain(): never {
  say(HELP);
  process.exit(0);
}

function readStory(): Story {
  const options = {
    attack: { type: "string", default: "sms-pumping" },
    comeback: { type: "boolean" },
    undo: { type: "boolean" },
    "lost-webhook": { type: "boolean" },
    help: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  if (values.help) return explain();
  if (values.comeback) return comebackStory;
  if (values.undo) return undoStory;
  if (values["lost-webhook"]) return lostWebhookStory;
  const story = Object.hasOwn(STORIES, values.attack) ? STORIES[values.attack] : undefined;
  if (story !== undefined) return story;
  throw new Error(`--attack: expected one of ${Object.keys(STORIES).join(", ")}, got ${values.attack}`);
}

try {
  await main(readStory());
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
