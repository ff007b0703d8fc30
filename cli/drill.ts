import type { Drill } from "../lib/webhooks/drill.ts";
import { newDrill } from "./drill-account.ts";
import { lookAt, nameOf, STOPS, type Stop } from "./drill-stations.ts";
import { EXIT, Failure } from "./failure.ts";
import { DRILL_PACE, firstBad, type Pace, type Passed, rehearse } from "./rehearsal.ts";
import { type Environment, findServer, type Server } from "./server.ts";
import { type Paint, printable, printableJson, type Terminal } from "./terminal.ts";
import { findTwilio, type TwilioAccess } from "./twilio-access.ts";
import { lag } from "./wording.ts";

export interface DrillOptions {
  /** Its AccountSid; the first active subaccount when left out. */
  account?: string;
  json?: true;
}

/**
 * `drill`: a marked rehearsal, signed as nobody else can sign it, through everything that a firing goes through but the
 * suspension. @throws Failure when a station is not passed, naming it and what to look at; `account-not-found` before
 * anything is sent.
 */
export async function drillCommand(
  options: DrillOptions,
  environment: Environment,
  terminal: Terminal,
  pace: Pace = DRILL_PACE,
): Promise<void> {
  const access = await findTwilio(environment);
  const server = await serverOf(access, environment);
  const drill = await newDrill(access, options.account);
  const say = options.json ? () => {} : terminal.print;
  say(`Rehearsal ${drill.drillId} with ${printable(drill.accountSid)}: nothing will be suspended.`);
  const watch = (passed: Passed) => {
    say(lineOf(passed, drill, terminal.paint));
    terminal.status(waitingFor(passed.station));
  };
  const passed = await rehearse({ drill, server, watch, pace }).finally(() => terminal.status(""));
  const { drillId, accountSid, sentAt } = drill;
  if (options.json) terminal.print(printableJson({ drillId, accountSid, sentAt, stations: passed }));
  const bad = firstBad(passed);
  if (bad !== undefined) throw stopped(bad, passed, pace);
  say(`All stations passed in ${lag(lagOf(passed.at(-1), drill))}.`);
}

/** The operator API of the same Tollbreaker: behind the same address, unless TOLLBREAKER_URL names another one. */
export async function serverOf({ isLocal, publicUrl }: TwilioAccess, environment: Environment): Promise<Server> {
  const { TOLLBREAKER_URL, ...rest } = environment;
  if (!isLocal) return findServer({ ...rest, TOLLBREAKER_URL: TOLLBREAKER_URL || publicUrl });
  // A token for somewhere else does not open the local run.
  return findServer(TOLLBREAKER_URL ? { ...rest, TOLLBREAKER_TOKEN: undefined } : rest);
}

function waitingFor(passed: Stop): string {
  const next = STOPS[STOPS.indexOf(passed) + 1];
  return next === undefined ? "" : `  ... ${nameOf(next)}`;
}

const NAME_WIDTH = 17;
const LAG_WIDTH = 10;

export function lineOf(passed: Passed, drill: Pick<Drill, "sentAt">, paint: Paint): string {
  const { station, at, said, isGood } = passed;
  const mark = isGood ? paint("green", "✓") : paint("red", "✗");
  const passedAfter = `+${lag(lagOf(passed, drill))}`.padEnd(LAG_WIDTH);
  const clock = /T([\d:.]+)Z$/.exec(at)?.[1] ?? printable(at);
  return `  ${mark} ${nameOf(station).padEnd(NAME_WIDTH)} ${clock}Z ${paint("dim", passedAfter)} ${printable(said)}`;
}

// Between two machines: their clocks may differ a little.
function lagOf(passed: Passed | undefined, { sentAt }: Pick<Drill, "sentAt">): number {
  return passed === undefined ? 0 : Date.parse(passed.at) - sentAt.getTime() || 0;
}

function stopped(stop: Stop, passed: readonly Passed[], { atMost }: Pace): Failure {
  const seen = passed.find(({ station }) => station === stop);
  const what =
    seen === undefined
      ? `The rehearsal did not pass "${nameOf(stop)}" within ${lag(atMost)}.`
      : `The rehearsal failed at "${nameOf(stop)}".`;
  return new Failure(EXIT.failed, "drill-failed", what, {
    ...(seen !== undefined && { got: seen.said }),
    fix: `look at ${lookAt(stop)}`,
  });
}
