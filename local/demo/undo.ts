import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { System } from "../system.ts";
import type { Stage, Story } from "./story.ts";
import { incidents, pause, until, type WatchedIncident } from "./watch.ts";

const REASON = "Twilio's billing counted too much: corrected, and nobody has spent it";
/** What Twilio's wrong figures reach in policy.yml. */
const RULES = ["daily-spend", "daily-warning", "sms-burst", "unusual-hour"];

/** Every account trips and none has done anything: a person undoes all of it by one command for each kind of incident. */
export const undoStory: Story = {
  subaccounts: 12,
  timeFactor: 12,
  tell: async (stage) => {
    const { teller } = stage;
    teller.say("undo: Twilio's own figures go wrong for all accounts, and a person undoes what came of it.");
    teller.say();
    const since = new Date().toISOString();
    const { suspended, waiting } = await falseAlarm(stage);
    await shownFirst(stage, since);
    await allAreBack(stage, suspended, since);
    await allAreDismissed(stage, waiting, since);
    await oneAlertEach(stage);
    return suspended[0].id;
  },
};

interface FalseAlarm {
  suspended: readonly [WatchedIncident, ...WatchedIncident[]];
  waiting: readonly WatchedIncident[];
}

async function falseAlarm({ system, simulator, policy, teller }: Stage): Promise<FalseAlarm> {
  const { accounts } = simulator.startBillingGlitch();
  const { suspensions } = policy.brake;
  const all = await until("every account has its incident, and those suspended their check-list", async () => {
    const found = await incidents(system);
    const read = found.filter(({ state, checklist }) => state === "suspended" && checklist !== null);
    const held = found.filter(({ state, because }) => state === "alerted" && because === "brake");
    return read.length === suspensions && read.length + held.length === accounts ? { read, held } : undefined;
  });
  const [first, ...rest] = all.read;
  if (first === undefined) throw new Error("No account is suspended.");
  teller.tell(
    `${accounts} accounts trip at once: ${all.read.length} are suspended, and the brake keeps the others running.`,
  );
  teller.tell("Nobody has spent any of it: a false alarm.");
  return { suspended: [first, ...rest], waiting: all.held };
}

const words = (since: string) => ["--all", ...RULES.flatMap((rule) => ["--because-of", rule]), "--since", since];
const ANSWERS = ["--acknowledge", "api-keys,auth-token", "--cleanup", "triggers"];

let digest = "";

/** Nobody accepts a check-list that was not shown. */
async function shownFirst({ system, teller }: Stage, since: string): Promise<void> {
  const flags = [...words(since), ...ANSWERS, "--reason", REASON, "--yes"];
  const { code, said } = await run(system, ["incidents", "reactivate", ...flags]);
  digest = /--checklist ([0-9a-f]{16})/.exec(said)?.[1] ?? "";
  if (code !== 6 || digest === "") throw new Error(`Check-lists that nobody was shown were accepted: ${said}`);
  teller.tell(
    "An operator asks for all of them at once. What is on their check-lists is shown first, and nothing is done:",
  );
  teller.quote(linesOf(said));
}

async function allAreBack(
  { system, simulator, teller }: Stage,
  suspended: readonly WatchedIncident[],
  since: string,
): Promise<void> {
  const flags = [...words(since), ...ANSWERS, "--checklist", digest, "--reason", REASON, "--yes"];
  const { code, said } = await run(system, ["incidents", "reactivate", ...flags]);
  teller.tell("Asked again, with the digest of the lists that were shown:");
  teller.quote(linesOf(said).slice(-suspended.length - 1));
  if (code !== 0) throw new Error(`Not all came back: ${said}`);
  const left = suspended.filter(({ accountSid }) => simulator.account(accountSid).status !== "active");
  if (left.length > 0) throw new Error(`${left.length} accounts are not active.`);
}

async function allAreDismissed(
  { system, teller }: Stage,
  waiting: readonly WatchedIncident[],
  since: string,
): Promise<void> {
  const { code, said } = await run(system, ["incidents", "dismiss", ...words(since), "--reason", REASON, "--yes"]);
  teller.tell("Those that were only alerted about are dismissed in the same way:");
  teller.quote(linesOf(said).slice(-waiting.length - 1));
  if (code !== 0) throw new Error(`Not all were dismissed: ${said}`);
}

async function oneAlertEach({ slack, teller }: Stage): Promise<void> {
  const summaries = () => slack.filter((lines) => lines.some((line) => line.includes("at once:")));
  await until("people are told of both, in one alert each", () => (summaries().length >= 2 ? true : undefined));
  await pause(1000);
  if (summaries().length !== 2) throw new Error(`${summaries().length} summaries were sent.`);
  teller.tell("Slack is told of each request once, and not once for each account:");
  for (const lines of summaries()) teller.quote(lines);
}

function linesOf(said: string): string[] {
  return said.split("\n").filter((line) => line.trim() !== "");
}

/** The command line, as a script has it: nobody is asked. */
async function run({ url, operatorToken }: System, args: readonly string[]): Promise<{ code: unknown; said: string }> {
  const environment = { ...process.env, TOLLBREAKER_URL: url, TOLLBREAKER_TOKEN: operatorToken, NO_COLOR: "1" };
  const child = spawn(process.execPath, ["cli/main.ts", ...args], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, said: `${err}${out}` };
}
