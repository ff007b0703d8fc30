import { type NamedBrake, withNames } from "../brake-names.ts";
import { accounts, brakeText, waitingName, waitingTable } from "../brake-text.ts";
import { readBrake } from "../brake-view.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Server } from "../server.ts";
import { printable, printableJson, type Terminal } from "../terminal.ts";
import { confirm, YES_LACKING } from "./confirm.ts";
import type { Ending } from "./ending.ts";
import { follow, PACE, type Pace } from "./follow.ts";
import { progress } from "./progress.ts";
import { checkedReason, REASON_LACKING, requireReason } from "./reason.ts";
import { sendCommand } from "./send-command.ts";
import { refuseUnasked } from "./unasked.ts";

/** `brake show`: whom the brake holds. */
export async function showBrake(server: Server, json: boolean, terminal: Terminal): Promise<void> {
  const brake = await readBrake(server);
  if (json) return terminal.print(printableJson(brake));
  terminal.print(brakeText(await withNames(brake, server), terminal.paint, new Date()));
}

export interface ReleaseOptions {
  reason?: string;
  /** Only these; left out, all that wait. */
  accounts?: readonly string[];
  /** Without the last question. */
  yes?: true;
}

/**
 * `brake release`: lets accounts that wait be suspended, and shows what becomes of each.
 * @throws Failure unless all of them are suspended.
 */
export async function releaseBrake(
  server: Server,
  options: ReleaseOptions,
  terminal: Terminal,
  pace: Pace = PACE,
): Promise<void> {
  refuseIncomplete(options, terminal);
  const brake = await withNames(await readBrake(server), server);
  const chosen = chosenFrom(brake, options.accounts);
  show({ ...brake, waiting: chosen }, terminal);
  const reason = await requireReason(options.reason, terminal);
  // Named one by one, as far as a request has room: an account that joins meanwhile was not looked at.
  const isNamed = options.accounts !== undefined || chosen.length <= MOST_NAMED;
  const more = isNamed ? "" : ", and whoever comes to wait until then";
  if (!options.yes) await confirm(`Let ${accounts(chosen.length)}${more} be suspended?`, terminal);
  const sids = isNamed ? chosen.map(({ accountSid }) => accountSid) : null;
  const { command } = await sendCommand(server, "/api/brake/release", { reason, accounts: sids });
  await followEach(server, { command, released: chosen }, terminal, pace);
}

function refuseIncomplete({ reason, yes }: ReleaseOptions, { person }: Terminal): void {
  if (reason !== undefined) checkedReason(reason);
  if (person !== undefined) return;
  const lacking = [...(reason === undefined ? [REASON_LACKING] : []), ...(yes ? [] : [YES_LACKING])];
  if (lacking.length > 0) throw refuseUnasked(lacking);
}

type Waiting = NamedBrake["waiting"];

function chosenFrom({ waiting }: NamedBrake, wanted: readonly string[] | undefined): Waiting {
  if (wanted === undefined) return waiting;
  const others = wanted.filter((sid) => !waiting.some(({ accountSid }) => accountSid === sid));
  if (others.length === 0) return waiting.filter(({ accountSid }) => wanted.includes(accountSid));
  throw new Failure(EXIT.refused, "account-not-waiting", "Not all of these accounts wait at the brake.", {
    expected: waiting.map(({ accountSid }) => accountSid).join(", ") || "none: nobody waits",
    got: others.join(", "),
    fix: "leave them out; an account that does not wait is stopped with `suspend`",
  });
}

function show({ waiting, ...brake }: NamedBrake, { tell, shade }: Terminal): void {
  if (waiting.length === 0) {
    tell("No account waits. A release makes the brake count anew.");
    return;
  }
  const table = waitingTable({ ...brake, waiting: waiting.slice(0, MOST_SHOWN) }, shade, new Date());
  const more = waiting.length - MOST_SHOWN;
  tell(`${table}${more > 0 ? `\nand ${more} more: brake show` : ""}\n`);
}

/** The operator API takes 16 KB, of which the reason may be 2. */
const MOST_NAMED = 300;
/** What a person looks through before the last question. */
const MOST_SHOWN = 50;

/** Beyond this many, watching each would ask the server too often. */
const MOST_FOLLOWED = 20;

interface Released {
  command: string;
  released: Waiting;
}

async function followEach(
  server: Server,
  { command, released }: Released,
  terminal: Terminal,
  pace: Pace,
): Promise<void> {
  if (released.length === 0) return terminal.print("Released: the brake counts anew.");
  if (released.length > MOST_FOLLOWED) {
    return terminal.print(`Released: ${accounts(released.length)}. \`incidents list\` shows what becomes of them.`);
  }
  const until = Date.now() + pace.atMost;
  const endings: Ending[] = [];
  for (const one of released) {
    const left = { ...pace, atMost: Math.max(until - Date.now(), pace.every) };
    endings.push(await followOne(server, command, one, terminal, left));
    if (isInterrupted(endings.at(-1))) break;
  }
  conclude(endings, released, terminal);
}

function followOne(
  server: Server,
  command: string,
  one: Waiting[number],
  terminal: Terminal,
  pace: Pace,
): Promise<Ending> {
  const { accountSid, incidentId } = one;
  terminal.print(terminal.paint("bold", printable(waitingName(one))));
  // The release makes a suspension of each account, named after both.
  const own = `${command}:${accountSid}`;
  const watch = progress(own, terminal.paint, terminal.print);
  return follow(server, { command: own, incidentId, asked: "suspend" }, terminal, watch, pace);
}

function isInterrupted(ending: Ending | undefined): boolean {
  return ending?.kind === "unknown" && ending.because === "interrupt";
}

function conclude(endings: readonly Ending[], released: Waiting, terminal: Terminal): void {
  const bad = released.flatMap((one, index) => {
    const why = whyNot(endings[index]);
    return why === undefined ? [] : [`${waitingName(one)}: ${why}`];
  });
  if (bad.length > 0) throw notAll(bad, endings, released.length);
  terminal.print(`Suspended: ${accounts(released.length)}.`);
}

function notAll(bad: readonly string[], endings: readonly Ending[], count: number): Failure {
  const isKnown = endings.some(({ kind }) => kind === "failed" || kind === "refused");
  const what =
    count === 1 ? "It is not known to be suspended." : `Not all of ${accounts(count)} are known to be suspended.`;
  return new Failure(isKnown ? EXIT.wentWrong : EXIT.unknown, "not-all-suspended", what, {
    fix: "look at each: npm run -s tollbreaker -- incidents list",
    notes: bad,
  });
}

/** Undefined for an account that is suspended. */
function whyNot(ending: Ending | undefined): string | undefined {
  if (ending === undefined || isInterrupted(ending)) return "you stopped watching; it goes on";
  if (ending.kind === "unknown") return "not suspended yet, as far as is known";
  return ending.kind === "done" ? undefined : ending.why;
}
