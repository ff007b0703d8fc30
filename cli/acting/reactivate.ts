import { countryMistakes } from "../../lib/operators/commands/countries.ts";
import { checklistLines } from "../checklist-lines.ts";
import { cleanupWords, flagsFor, type Open } from "../checklist-words.ts";
import { EXIT, Failure } from "../failure.ts";
import { type Hold, holdOf } from "../hold.ts";
import type { IncidentStory } from "../incident-view.ts";
import { pathOf } from "../incidents.ts";
import { nextSteps, typed } from "../next-step.ts";
import type { Server } from "../server.ts";
import { printable, type Terminal } from "../terminal.ts";
import { accountName, age } from "../wording.ts";
import { askForEach, openItems } from "./answers.ts";
import { carryOut, type Manner } from "./carry-out.ts";
import { confirm, YES_LACKING } from "./confirm.ts";
import { withFreshChecklist } from "./fresh-incident.ts";
import { readIncident } from "./read-incident.ts";
import { checkedReason, REASON_LACKING, requireReason } from "./reason.ts";
import { type Lacking, refuseUnasked } from "./unasked.ts";

export interface ReactivateOptions {
  reason?: string;
  acknowledge?: readonly string[];
  cleanup?: readonly string[];
  countries?: readonly string[];
  /** The digest of the check-list that `acknowledge` was read on. */
  checklist?: string;
  /** Without the last question. */
  yes?: true;
}

/** What is sent: every open item of the check-list is answered. */
interface Wish {
  reason: string;
  acknowledge: readonly string[];
  cleanup: readonly string[];
  countries?: readonly string[];
  /** The digest of the list that was answered; left out where the server has none. */
  checklist?: string;
}

/**
 * `incidents reactivate`: look at it ─ read the check-list anew ─ answer what is open ─ confirm ─ send ─ follow. Where the
 * list on record is another one by then, a person is shown that, and asked again.
 * @throws Failure for every end but a reactivated account.
 */
export async function reactivateIncident(
  server: Server,
  id: string,
  options: ReactivateOptions,
  terminal: Terminal,
  manner: Manner = {},
): Promise<void> {
  refuseMismatch(options);
  if (options.reason !== undefined) checkedReason(options.reason);
  const found = await readIncident(server, id);
  refuseUnlessSuspended(found);
  const incident = await withFreshChecklist(server, found, terminal, manner.pace);
  await answerAndSend(server, incident, options, terminal, manner);
}

async function answerAndSend(
  server: Server,
  incident: IncidentStory,
  options: ReactivateOptions,
  terminal: Terminal,
  manner: Manner,
): Promise<void> {
  refuseHeld(incident);
  showBriefly(incident, terminal);
  const wish = await wishFor(incident, options, terminal);
  if (isAsked(options, terminal)) await confirmed(incident, wish, terminal);
  const path = `${pathOf(incident.id)}/reactivate`;
  try {
    await carryOut(server, { asked: "reactivate", path, json: wish }, terminal, manner);
  } catch (thrown) {
    if (terminal.person === undefined || !isAnotherList(thrown)) throw thrown;
    terminal.tell("\nThe check-list was read anew meanwhile, and says something else: answer it as it is now.\n");
    // What was acknowledged stood on the other list.
    const { acknowledge: _, checklist: __, yes: ___, ...rest } = options;
    await answerAndSend(server, await readIncident(server, incident.id), rest, terminal, manner);
  }
}

function isAnotherList(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === "checklist-changed";
}

/** `--yes` does not stand for having seen the list that `--acknowledge` answers: its digest does. */
function isAsked(options: ReactivateOptions, { person }: Terminal): boolean {
  return !options.yes || (person !== undefined && isBlind(options));
}

function isBlind({ acknowledge = [], checklist }: ReactivateOptions): boolean {
  return acknowledge.length > 0 && checklist === undefined;
}

function refuseMismatch({ cleanup = [], countries = [] }: ReactivateOptions): void {
  refuseNoCountries(countries);
  const isAsked = cleanup.includes("voice-countries");
  if (isAsked === countries.length > 0) return;
  throw new Failure(EXIT.usage, "countries-invalid", "--countries and --cleanup voice-countries go together.", {
    expected: "--cleanup voice-countries --countries US,CA, or neither",
    got: isAsked ? "no --countries" : "--countries alone",
    fix: isAsked ? "name the countries that may be called" : "add --cleanup voice-countries",
  });
}

/** By the server's own rule, but before anything is asked; all that are wrong at once. */
function refuseNoCountries(countries: readonly string[]): void {
  if (countries.length === 0) return;
  const wish = { kind: "reactivate", incidentId: "", reason: "", acknowledge: [] } as const;
  const [mistake] = countryMistakes({ ...wish, cleanup: ["voice-countries"], countries });
  if (mistake === undefined) return;
  throw new Failure(EXIT.usage, "countries-invalid", "Not all of --countries are countries.", {
    expected: "two letters each (ISO 3166-1), such as US,CA",
    got: mistake.got ?? "others",
    fix: "correct these",
  });
}

// The server would refuse it, too, but only after everything was asked.
function refuseUnlessSuspended(incident: IncidentStory): void {
  if (incident.state === "suspended") return;
  throw new Failure(EXIT.refused, "state-conflict", "Only a suspended account can be brought back.", {
    expected: "an incident that is suspended",
    got: incident.state,
    notes: nextSteps(incident).map(({ when, command }) => `${when}: ${typed(command)}`),
  });
}

const HELD: Readonly<Record<Hold, readonly [code: string, what: string]>> = {
  closed: ["account-closed", "The account is closed, which is final."],
  twilio: ["suspension-not-ours", "Twilio itself suspended this account: acknowledging it does not help."],
  active: ["account-active", "The account is active already, set so past Tollbreaker: it may be spending, unguarded."],
};

/** Whatever is acknowledged: see `holdOf`. */
function refuseHeld(incident: IncidentStory): void {
  const hold = holdOf(incident);
  if (hold === undefined) return;
  const [code, what] = HELD[hold];
  throw new Failure(EXIT.refused, code, what, {
    notes: nextSteps(incident).map(({ when, command }) => `${when}: ${typed(command)}`),
  });
}

function showBriefly(incident: IncidentStory, { tell, shade }: Terminal): void {
  const { suspendedAt, rule, reason, checklist, id } = incident;
  const now = new Date();
  tell(`${shade("bold", printable(accountName(incident)))}, incident ${printable(id)}`);
  tell(printable(`  suspended ${suspendedAt === null ? "" : age(suspendedAt, now)} by the rule ${rule}: ${reason}`));
  if (checklist === null) return;
  tell(`\n${shade("bold", "Check-list")}, read ${age(checklist.readAt, now)}`);
  for (const line of checklistLines(checklist, shade)) tell(line);
}

async function wishFor(incident: IncidentStory, options: ReactivateOptions, terminal: Terminal): Promise<Wish> {
  const { acknowledge = [], cleanup = [], countries } = options;
  const given = { acknowledge, cleanup };
  const open = openItems(incident.checklist, given);
  if (terminal.person === undefined) refuseIncomplete(options, open);
  const reason = await requireReason(options.reason, terminal);
  const answers = await askForEach(open, given, terminal);
  const checklist = answeredList(incident, options, terminal);
  return { reason, ...answers, ...(countries && { countries }), ...(checklist !== undefined && { checklist }) };
}

/**
 * The digest of the list that was answered: of the one on the screen, where a person was asked about it. Whatever a script
 * acknowledges, it read elsewhere: the server refuses it unless the script says where, and shows the list.
 */
function answeredList(
  { checklist }: IncidentStory,
  options: ReactivateOptions,
  terminal: Terminal,
): string | undefined {
  if (isAsked(options, terminal)) return checklist?.digest;
  return isBlind(options) ? undefined : (options.checklist ?? checklist?.digest);
}

function refuseIncomplete({ reason, yes }: ReactivateOptions, open: readonly Open[]): void {
  const lacking: Lacking[] = [
    ...(reason === undefined ? [REASON_LACKING] : []),
    ...open.map((item) => ({ flags: flagsFor(item), what: item.why })),
    ...(yes ? [] : [YES_LACKING]),
  ];
  if (lacking.length > 0) throw refuseUnasked(lacking);
}

async function confirmed(incident: IncidentStory, wish: Wish, terminal: Terminal): Promise<void> {
  const { tell, shade } = terminal;
  const { reason, acknowledge, cleanup, countries = [] } = wish;
  const name = printable(accountName(incident));
  tell(`\n${shade("bold", "What will be done")}`);
  for (const id of cleanup)
    tell(`  ${id}: ${cleanupWords(id)}${id === "voice-countries" ? ` (${countries.join(", ")})` : ""}`);
  if (acknowledge.length > 0) tell(printable(`  left as it is: ${acknowledge.join(", ")}`));
  tell("  it gets guards at a share of its limits, and is set active");
  tell(printable(`  for the record: ${reason}`));
  await confirm(`\nReactivate ${shade("bold", name)}?`, terminal);
}
