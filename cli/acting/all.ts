import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { systemClock } from "../../lib/clock.ts";
import { MOST_IN_BATCH } from "../../lib/inbox/commands.ts";
import { checked } from "../checked.ts";
import { openLine } from "../checklist-words.ts";
import { EXIT, Failure } from "../failure.ts";
import { IncidentListing, type IncidentView } from "../incident-view.ts";
import { LeftOut, leftOutLine } from "../problem-view.ts";
import { readFrom } from "../request.ts";
import type { Server } from "../server.ts";
import { printable, printableJson, type Terminal } from "../terminal.ts";
import { accountName, sentence } from "../wording.ts";
import { confirm, YES_LACKING } from "./confirm.ts";
import { endingOf } from "./ending.ts";
import { PACE, type Pace } from "./follow.ts";
import type { ReactivateOptions } from "./reactivate.ts";
import { readIncident } from "./read-incident.ts";
import { checkedReason, REASON_LACKING, requireReason } from "./reason.ts";
import { sendFor } from "./send-command.ts";
import { refuseUnasked } from "./unasked.ts";

export type Action = "reactivate" | "dismiss";

/** Which incidents. */
export interface Choosing {
  all?: true;
  becauseOf?: readonly string[];
  since?: string;
}

/** `checklist` is the digest of all the check-lists that were shown. */
export interface AllOptions extends Choosing, ReactivateOptions {
  id?: string | undefined;
  json?: boolean;
}

/**
 * `incidents reactivate --all`, `incidents dismiss --all`: after a false alarm, show each ─ confirm ─ send one request ─
 * follow each.
 * @throws Failure unless all that were taken ended well.
 */
export async function actOnAll(
  server: () => Promise<Server>,
  action: Action,
  options: AllOptions,
  terminal: Terminal,
  pace: Pace = PACE,
): Promise<void> {
  const wanted = wantedBy(options);
  if (options.reason !== undefined) checkedReason(options.reason);
  const at = await server();
  const { chosen, more } = await choose(at, action, wanted);
  if (chosen.length === 0) throw nothingFound(action, wanted);
  const digest = digestOfAll(chosen);
  show(chosen, { action, more, digest }, terminal);
  if (terminal.person === undefined) refuseIncomplete(options, digest);
  const reason = await requireReason(options.reason, terminal);
  if (isAsked(options, terminal)) await confirm(`${NAMES[action].ask} ${incidents(chosen.length)}?`, terminal);
  const body = bodyOf(action, wanted, { ...options, reason }, chosen);
  const taken = await sendFor(Taken, at, `/api/incidents/${action}`, body);
  const fates = await followAll(at, action, taken, terminal, pace);
  conclude(action, taken, fates, options, terminal);
}

const NAMES = {
  reactivate: { ask: "Reactivate", done: "reactivated", states: ["suspended"] },
  dismiss: { ask: "Dismiss", done: "dismissed", states: ["alerted", "failed"] },
} as const;

const incidents = (count: number) => (count === 1 ? "1 incident" : `${count} incidents`);

interface Wanted {
  rules: readonly string[];
  /** ISO 8601 UTC. */
  since: string;
}

const ZONED = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function wantedBy({ id, all, becauseOf = [], since = "" }: AllOptions): Wanted {
  if (id !== undefined || !all) throw unfit(id === undefined ? "none" : "both", "an incident's id, or --all");
  if (becauseOf.length === 0) throw unfit("no --because-of", "--because-of with the rules that tripped them");
  const time = ZONED.test(since) ? new Date(since) : undefined;
  if (time === undefined || Number.isNaN(time.getTime()))
    throw unfit(since === "" ? "no --since" : since, "--since with a time and its zone, such as 2026-11-21T03:00:00Z");
  return { rules: becauseOf, since: time.toISOString() };
}

function unfit(got: string, expected: string): Failure {
  return new Failure(EXIT.usage, "option-unfit", "What is to be dealt with is not said.", {
    expected,
    got,
    fix: "such as --all --because-of daily-spend --since 2026-11-21T03:00:00Z",
  });
}

/** By its firing, as the server judges it again. */
function isWanted({ rule, firedAt, openedAt }: IncidentView, { rules, since }: Wanted): boolean {
  return rules.includes(rule) && Date.parse(firedAt ?? openedAt) >= Date.parse(since);
}

interface Chosen {
  chosen: readonly IncidentView[];
  /** How many there are beyond those that one request takes. */
  more: number;
}

async function choose(server: Server, action: Action, wanted: Wanted): Promise<Chosen> {
  const found: IncidentView[] = [];
  for (const state of NAMES[action].states) {
    for await (const page of pagesOf(server, state))
      found.push(...page.filter((incident) => isWanted(incident, wanted)));
  }
  const oldestFirst = found.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const chosen = oldestFirst.slice(0, MOST_IN_BATCH);
  return { chosen, more: found.length - chosen.length };
}

async function* pagesOf(server: Server, state: string): AsyncGenerator<readonly IncidentView[]> {
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ state, limit: "100", ...(cursor !== null && { cursor }) });
    const page: IncidentListing = checked(IncidentListing, await readFrom(server, `/api/incidents?${query}`), server);
    yield page.incidents;
    cursor = page.next;
  } while (cursor !== null);
}

function nothingFound(action: Action, { rules, since }: Wanted): Failure {
  return new Failure(EXIT.refused, "none-found", "There is no such incident.", {
    expected: `incidents that are ${NAMES[action].states.join(" or ")}, of ${rules.join(" or ")}, fired since ${since}`,
    got: "none",
    fix: "look at what there is: npm run -s tollbreaker -- incidents list",
  });
}

/** Of what each shown list says: a script carries it back with what it acknowledges. */
function digestOfAll(chosen: readonly IncidentView[]): string {
  const lists = chosen.map(({ id, checklist }) => [id, checklist?.digest ?? null]);
  return createHash("sha256").update(JSON.stringify(lists)).digest("hex").slice(0, 16);
}

interface Shown {
  action: Action;
  more: number;
  digest: string;
}

function show(chosen: readonly IncidentView[], { action, more, digest }: Shown, { tell, shade }: Terminal): void {
  for (const incident of chosen) {
    tell(`${shade("bold", printable(accountName(incident)))}, incident ${printable(incident.id)}`);
    tell(printable(`  ${incident.state} by ${incident.rule}: ${incident.reason}`));
    if (action === "dismiss") continue;
    const open = incident.checklist?.items.filter(({ answer }) => answer !== "done");
    for (const item of open ?? []) tell(printable(`  ${openLine(item)}`));
    if (open === undefined) tell("  its check-list was not read yet");
  }
  if (more > 0) tell(`And ${more} more: one request takes ${MOST_IN_BATCH}, the oldest first. Ask again for these.`);
  if (action === "reactivate")
    tell(shade("dim", `--acknowledge without being asked: add --checklist ${digest}, which names these lists`));
}

/** As for a single one: `--yes` does not stand for having seen what is acknowledged. */
function isAsked({ yes, acknowledge = [], checklist }: AllOptions, { person }: Terminal): boolean {
  return !yes || (person !== undefined && acknowledge.length > 0 && checklist === undefined);
}

function refuseIncomplete({ reason, yes, acknowledge = [], checklist }: AllOptions, digest: string): void {
  const lacking = [...(reason === undefined ? [REASON_LACKING] : []), ...(yes ? [] : [YES_LACKING])];
  if (lacking.length > 0) throw refuseUnasked(lacking);
  if (acknowledge.length === 0 || checklist === digest) return;
  const [code, what] = checklist === undefined ? UNNAMED : CHANGED;
  throw new Failure(EXIT.refused, code, what, {
    expected: `--checklist ${digest}, once you have looked at the lists above`,
    got: checklist ?? "none",
  });
}

const UNNAMED = ["checklist-unnamed", "What is acknowledged does not say which check-lists it was read on."] as const;
const CHANGED = ["checklist-changed", "The check-lists are not those that you answered."] as const;

function bodyOf(
  action: Action,
  { rules, since }: Wanted,
  { reason, acknowledge = [], cleanup = [], countries = [] }: AllOptions,
  chosen: readonly IncidentView[],
) {
  const all = { reason, rules, since };
  if (action === "dismiss") return { ...all, incidents: chosen.map(({ id }) => ({ id })) };
  const shown = chosen.map(({ id, checklist }) => ({
    id,
    ...(checklist?.digest !== undefined && { checklist: checklist.digest }),
  }));
  return { ...all, acknowledge, cleanup, countries, incidents: shown };
}

const Taken = z.object({
  command: z.string(),
  incidents: z.array(z.object({ id: z.string(), accountSid: z.string(), command: z.string() })),
  leftOut: z.array(LeftOut),
});
type Taken = z.infer<typeof Taken>;

interface Fate {
  id: string;
  account: string;
  kind: "done" | "refused" | "failed" | "unknown";
  why: string;
}

/** Looks at each until it is over; Ctrl-C ends the looking, and all of it goes on. */
async function followAll(
  server: Server,
  action: Action,
  { incidents: taken }: Taken,
  terminal: Terminal,
  { every, atMost }: Pace,
): Promise<Fate[]> {
  const interrupt = new AbortController();
  const release = terminal.onInterrupt(() => interrupt.abort());
  const until = Date.now() + atMost;
  const fates = new Map<string, Fate>();
  try {
    while (fates.size < taken.length && Date.now() < until && !interrupt.signal.aborted) {
      for (const one of taken.filter(({ id }) => !fates.has(id))) {
        const fate = await fateOf(server, action, one).catch(() => undefined);
        if (fate === undefined) continue;
        fates.set(one.id, fate);
        terminal.tell(printable(`  ${fates.size} of ${taken.length}  ${fate.account}: ${wordsFor(action, fate)}`));
      }
      terminal.status(`  ${fates.size} of ${taken.length} (Ctrl-C stops watching, not the command)`);
      if (fates.size < taken.length) await systemClock.sleep(every, interrupt.signal).catch(() => undefined);
    }
  } finally {
    release();
    terminal.status("");
  }
  return taken.map(
    ({ id, accountSid }) => fates.get(id) ?? { id, account: accountSid, kind: "unknown", why: "not over yet" },
  );
}

async function fateOf(
  server: Server,
  action: Action,
  { id, command }: Taken["incidents"][number],
): Promise<Fate | undefined> {
  const incident = await readIncident(server, id);
  const ending = endingOf(incident, command, action);
  if (ending === undefined || ending.kind === "unknown") return undefined;
  return { id, account: accountName(incident), kind: ending.kind, why: ending.why };
}

function wordsFor(action: Action, { kind, why }: Fate): string {
  return kind === "done" ? NAMES[action].done : sentence(why);
}

function conclude(
  action: Action,
  taken: Taken,
  fates: readonly Fate[],
  { json }: AllOptions,
  { print }: Terminal,
): void {
  const done = fates.filter(({ kind }) => kind === "done").length;
  const bad = fates.filter(({ kind }) => kind !== "done");
  if (json) print(printableJson({ command: taken.command, incidents: fates, leftOut: taken.leftOut }));
  else {
    print(`${done} of ${incidents(fates.length)} ${NAMES[action].done}.`);
    if (taken.leftOut.length > 0) print(`Left out, each for you to look at: ${taken.leftOut.length}.`);
    for (const one of taken.leftOut) print(printable(`  ${leftOutLine(one)}`));
  }
  if (bad.length === 0) return;
  const isKnown = bad.some(({ kind }) => kind !== "unknown");
  throw new Failure(
    isKnown ? EXIT.wentWrong : EXIT.unknown,
    `not-all-${NAMES[action].done}`,
    `Not all are ${NAMES[action].done}.`,
    {
      fix: "look at each: npm run -s tollbreaker -- incidents show ID",
      notes: bad.map((fate) => `${fate.account}, incident ${fate.id}: ${wordsFor(action, fate)}`),
    },
  );
}
