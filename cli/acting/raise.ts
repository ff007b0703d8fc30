import { systemClock } from "../../lib/clock.ts";
import { EXIT, Failure } from "../failure.ts";
import { raisedLine, raisesText } from "../raise-text.ts";
import { type RaiseView, readRaises } from "../raise-view.ts";
import type { Server } from "../server.ts";
import { printable, printableJson, type Terminal } from "../terminal.ts";
import type { Manner } from "./carry-out.ts";
import { PACE } from "./follow.ts";
import { requireReason } from "./reason.ts";
import { sendCommand } from "./send-command.ts";
import { type Lacking, refuseUnasked } from "./unasked.ts";

export interface RaiseOptions {
  limit: string;
  to?: string;
  until?: string;
  /** Take it back instead. */
  end?: true;
  reason?: string;
}

/** `accounts raise`: a limit of one account, for a while; with `--end`, takes it back before its time is over. */
export async function raiseLimit(
  server: Server,
  accountSid: string,
  options: RaiseOptions,
  terminal: Terminal,
  manner: Manner = {},
): Promise<void> {
  const raise = options.end
    ? await takeBack(server, accountSid, options, terminal, manner)
    : await raiseFor(server, accountSid, options, terminal, manner);
  if (manner.json) terminal.print(printableJson(raise));
  if (raise.state === "refused") throw refusedThere(raise);
  if (!manner.json) terminal.print(printable(`${raise.limit} of ${accountSid}: ${inWords(raise)}`));
}

/** `accounts raises`: what is raised, and what was. */
export async function listRaises(
  server: Server,
  { account, json }: { account?: string; json?: true },
  terminal: Terminal,
): Promise<void> {
  const raises = await readRaises(server, account);
  terminal.print(json ? printableJson({ raises }) : raisesText(raises, terminal.paint));
}

function inWords(raise: RaiseView): string {
  if (raise.state === "raised" || raise.state === "resting") return raisedLine(raise);
  return "no longer raised; the policy's value counts";
}

async function raiseFor(
  server: Server,
  accountSid: string,
  { limit, to, until, reason }: RaiseOptions,
  terminal: Terminal,
  manner: Manner,
): Promise<RaiseView> {
  const lacking = [...(to === undefined ? [TO] : []), ...(until === undefined ? [UNTIL] : [])];
  if (lacking.length > 0) throw refuseUnasked(lacking);
  const json = { to, until, reason: await requireReason(reason, terminal) };
  const { command } = await sendCommand(server, pathOf(accountSid, limit, "raise"), json);
  return follow(server, accountSid, terminal, manner, (one) => one.command === command);
}

const TO: Lacking = { flags: "--to N", what: "what the limit is to be" };
const UNTIL: Lacking = { flags: "--until TIME", what: "when it ends by itself, such as 2027-01-31T18:00:00Z" };

async function takeBack(
  server: Server,
  accountSid: string,
  { limit, to, until, reason }: RaiseOptions,
  terminal: Terminal,
  manner: Manner,
): Promise<RaiseView> {
  if (to !== undefined || until !== undefined) throw contradiction();
  const raises = await readRaises(server, accountSid);
  const raised = raises.find((one) => one.limit === limit && (one.state === "raised" || one.state === "ending"));
  if (raised === undefined) throw notRaised(accountSid, limit);
  await sendCommand(server, pathOf(accountSid, limit, "end-raise"), { reason: await requireReason(reason, terminal) });
  return follow(server, accountSid, terminal, manner, (one) => one.command === raised.command && one.ended !== null);
}

function pathOf(accountSid: string, limit: string, verb: "raise" | "end-raise"): string {
  return `/api/subaccounts/${encodeURIComponent(accountSid)}/limits/${encodeURIComponent(limit)}/${verb}`;
}

/** Until the record shows what came of it. @throws Failure where it does not in time: it may come yet. */
async function follow(
  server: Server,
  accountSid: string,
  { status }: Terminal,
  { pace = PACE }: Manner,
  isIt: (raise: RaiseView) => boolean,
): Promise<RaiseView> {
  const until = Date.now() + pace.atMost;
  for (;;) {
    const found = (await readRaises(server, accountSid)).find(isIt);
    if (found !== undefined || Date.now() >= until) status("");
    if (found !== undefined) return found;
    if (Date.now() >= until) throw unknown(accountSid);
    status("  waiting for the responder (Ctrl-C stops watching, not the command)");
    await systemClock.sleep(pace.every);
  }
}

function unknown(accountSid: string): Failure {
  return new Failure(EXIT.unknown, "command-under-way", "It was accepted, and is not carried out yet.", {
    fix: `look again: tollbreaker accounts raises --account ${accountSid}`,
  });
}

function contradiction(): Failure {
  return new Failure(EXIT.usage, "options-contradict", "--end takes the raise back, and --to and --until make one.", {
    expected: "--end alone, or --to and --until",
    fix: "leave one of them out",
  });
}

function notRaised(accountSid: string, limit: string): Failure {
  return new Failure(EXIT.refused, "limit-not-raised", `${limit} of ${accountSid} is not raised.`, {
    expected: "a limit that is raised now",
    fix: `tollbreaker accounts raises --account ${accountSid} lists them`,
  });
}

function refusedThere({ why }: RaiseView): Failure {
  return new Failure(EXIT.refused, "raise-refused", `The responder refused it: ${printable(why ?? "")}`, {
    fix: "correct what it says, and ask again",
  });
}
