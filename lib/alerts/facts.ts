import { isDecimal, percentOf } from "../decimal.ts";
import { type Counted, isMoney } from "../incidents/counted.ts";
import type {
  AlertSubject,
  ErrorEvidence,
  Evidence,
  Incident,
  Recurrence,
  SpendRanking,
  Trip,
} from "../incidents/incident.ts";
import { recurrenceInWords } from "../incidents/recurrence.ts";
import { wentLive } from "../incidents/went-live.ts";
import { withCode } from "../twilio/failures.ts";
import type { Fact } from "./alert.ts";
import { decimal, measured, money } from "./amounts.ts";
import { notReactivatedFacts, reactivatedFacts, wishFacts } from "./asked.ts";
import { defanged } from "./plain-text.ts";
import { escaped } from "./slack-text.ts";
import { lag, utc } from "./times.ts";

/**
 * What is known of an incident, most urgent first: at most ten, which is what one Slack section holds.
 * @param known.problem what could not be read of a signed webhook.
 * @param known.note what else there is to say of an account that is active again, or waits.
 * @param known.waiting the accounts that the brake keeps waiting.
 */
export function factsOf(about: AlertSubject, incident: Incident, known: Known): Fact[] {
  const said =
    personFacts(about, incident) ?? watchFacts(about, incident, known) ?? signalFacts(about, incident, known);
  return [{ label: "Account", value: accountOf(incident) }, ...said];
}

/** What a person decided; undefined where Tollbreaker did. */
function personFacts(about: AlertSubject, incident: Incident): Fact[] | undefined {
  const { suspension, reactivation, dismissal } = incident;
  const ending = [...before(incident), { label: "Done", value: done(about, incident) }];
  switch (about) {
    case "suspended":
      if (suspension === null) return undefined;
      return [...wishFacts(suspension), ...spent(incident), ...ending, ...callsFact(incident)];
    case "failed":
      if (reactivation !== null)
        return [...wishFacts(reactivation), ...notReactivatedFacts(incident, reactivation), ...ending];
      return suspension === null ? undefined : [...wishFacts(suspension), ...spent(incident), ...ending];
    case "reactivated":
      return reactivation === null
        ? undefined
        : [...wishFacts(reactivation), ...reactivatedFacts(reactivation), ...ending];
    case "not-reactivated":
      if (reactivation === null) return undefined;
      return [
        ...wishFacts(reactivation),
        ...notReactivatedFacts(incident, reactivation),
        ...ending,
        ...(wentLive(reactivation) === "no" ? [] : callsFact(incident)),
      ];
    case "dismissed":
      return dismissal === null ? undefined : [...wishFacts(dismissal), ...spent(incident), ...ending];
    case "alerted":
    case "not-understood":
    case "tampered":
    case "reminder":
    case "calls-ended":
      return undefined;
  }
}

/** What the sweep found, or an earlier alert had wrong; undefined where something else happened. */
function watchFacts(about: AlertSubject, incident: Incident, { note }: Known): Fact[] | undefined {
  if (about !== "tampered" && about !== "reminder" && about !== "calls-ended") return undefined;
  const label = about === "calls-ended" ? "Corrects" : "Noticed";
  return [
    ...(note === null ? [] : [{ label, value: defanged(note, 300) }]),
    ...before(incident),
    ...spent(incident),
    { label: "Done", value: done(about, incident) },
    ...callsFact(incident),
    { label: "Why", value: defanged(incident.reason, 600) || "no reason was recorded" },
  ];
}

interface Known {
  problem: string | null;
  note: string | null;
  waiting: readonly Held[];
}

interface Held extends Named {
  counted?: Counted | null;
}

function signalFacts(about: AlertSubject, incident: Incident, { problem, waiting }: Known): Fact[] {
  const { trip, evidence, errors, ranking } = incident;
  return [
    ...(problem === null ? [] : [{ label: "Problem", value: defanged(problem, 600) || "not described" }]),
    ...(waiting.length === 0 ? [] : [{ label: "Waiting", value: namesOf(waiting) }]),
    { label: "Rule", value: defanged(incident.rule, 200) || "none" },
    ...followsFact(incident),
    ...(errors === null ? [] : [{ label: "Errors", value: errorsInWords(errors) }]),
    ...(trip === null ? [] : tripFacts(trip, evidence?.currency ?? null)),
    ...spent(incident),
    ...(ranking === null ? [] : [{ label: "Top spenders", value: rankingInWords(ranking) }]),
    { label: "Done", value: done(about, incident) },
    ...(about === "not-understood" ? [] : callsFact(incident)),
    { label: "Why", value: defanged(incident.reason, 600) || "no reason was recorded" },
  ];
}

/** The ids are our own; the limit's name may come from an address. */
export function followsInWords(recurrence: Recurrence): string {
  return recurrenceInWords({ ...recurrence, limit: defanged(recurrence.limit, 80) || "no limit" });
}

/** That a guard fired: the account was let go on, or brought back, and overspends again. */
function followsFact({ recurrence }: Incident): Fact[] {
  return recurrence === null ? [] : [{ label: "Follows", value: followsInWords(recurrence) }];
}

/** What had tripped before a person decided; nothing where nothing had. */
function before({ rule, trip, errors, evidence }: Incident): Fact[] {
  const name = defanged(rule, 80) || "no rule";
  if (errors !== null) return [{ label: "Tripped", value: `${name}: ${errorsInWords(errors)}` }];
  if (trip === null) return [];
  const what = `${categoryOf(trip)} by ${defanged(trip.triggerBy, 20)} reached`;
  return [{ label: "Tripped", value: `${name}: ${what} ${reached(trip, evidence?.currency ?? null)}` }];
}

/** Twilio's limit: https://www.twilio.com/docs/iam/api/account */
const MOST_NAME = 64;

/** What to call the account: its friendly name, or its SID where the name is not known. */
export function nameOf({ friendlyName, accountSid }: Named): string {
  return defanged(friendlyName ?? "", MOST_NAME) || accountSid;
}

function accountOf(incident: Incident): string {
  const { accountSid } = incident;
  return nameOf(incident) === accountSid ? `${accountSid} (its name is not known)` : account(incident);
}

function tripFacts(trip: Trip, currency: string | null): Fact[] {
  const recurring = trip.recurring === "" ? "once" : defanged(trip.recurring, 20);
  const over = measured(trip, trip.overshoot, currency);
  const percent = trip.overshootPercent === null ? "" : ` (${decimal(trip.overshootPercent)} %)`;
  return [
    {
      label: "Fired",
      value: `${categoryOf(trip)} by ${defanged(trip.triggerBy, 20)}, ${recurring}, trigger ${defanged(trip.usageTriggerSid, 40)}`,
    },
    { label: "Reached", value: reached(trip, currency) },
    { label: "Overshoot", value: `${over}${percent}` },
  ];
}

function reached(trip: Trip, currency: string | null): string {
  // Usage triggers carry no currency; only Usage Records do.
  const unnamed = isMoney(trip) && currency === null ? " (in the account's currency)" : "";
  return `${measured(trip, trip.currentValue, currency)}, ${share(trip)} ${measured(trip, trip.triggerValue, currency)}${unnamed}`;
}

/** Of the limit, in percent, where both are numbers and it is not zero. */
function share({ currentValue, triggerValue }: Trip): string {
  const percent = isDecimal(currentValue) && isDecimal(triggerValue) ? percentOf(currentValue, triggerValue) : null;
  return percent === null ? "its limit is" : `${decimal(percent)} % of its limit of`;
}

interface Named {
  accountSid: string;
  friendlyName: string | null;
}

/** Beyond these, nobody reads on. */
const MOST_NAMED = 20;
/** Of a Slack field (2,000 with its label, after escaping) and of one line of an e-mail, without ", and 12345 more". */
const NAMES_ROOM = 1900;

/** As many whole names as there is room for, and how many more there are. */
function namesOf(waiting: readonly Held[]): string {
  const shown: string[] = [];
  let room = NAMES_ROOM;
  for (const one of waiting.slice(0, MOST_NAMED)) {
    const { counted = null } = one;
    const name = `${account(one)}${counted === null ? "" : ` at ${inWords(counted)}`}`;
    room -= escaped(name, Number.POSITIVE_INFINITY).length + ", ".length;
    if (room < 0) break;
    shown.push(name);
  }
  const more = waiting.length - shown.length;
  return more === 0 ? shown.join(", ") : `${shown.join(", ")}, and ${more} more`;
}

/** What was counted against the limit. */
function inWords(counted: Counted): string {
  const { currentValue, triggerValue, currency } = counted;
  return `${measured(counted, currentValue, currency)} of ${measured(counted, triggerValue, currency)} (${categoryOf(counted)})`;
}

function account({ friendlyName, accountSid }: Named): string {
  const name = defanged(friendlyName ?? "", MOST_NAME);
  return name === "" ? accountSid : `${name} (${accountSid})`;
}

/** Error codes with how often each is among the samples: https://www.twilio.com/docs/api/errors */
function errorsInWords({ count, within, samples }: ErrorEvidence): string {
  const codes = Map.groupBy(samples, ({ code }) => code);
  const shown = [...codes].map(([code, ones]) => {
    const note = defanged(ones[0]?.note ?? "", 80);
    return note === "" ? `${code}` : `${code} (${note})`;
  });
  return `${count} within ${lag(within)}: ${shown.join(", ") || "no sample was kept"}`;
}

function rankingInWords({ spenders, total, unread, ...ranking }: SpendRanking): string {
  // Nothing was spent in any.
  const currency = ranking.currency === "" ? null : ranking.currency;
  const shown = spenders.slice(0, 5).map(({ friendlyName, accountSid, price, share: percent }) => {
    const name = nameOf({ friendlyName, accountSid });
    return `${name} ${money(price, currency)}${percent === null ? "" : ` (${percent} %)`}`;
  });
  const missing = unread === 0 ? "" : `; ${unread} ${unread === 1 ? "account" : "accounts"} could not be read`;
  return `${shown.join(", ") || "no subaccount spent anything"}; in all ${money(total, currency)} today${missing}`;
}

/** The usage category, or words for an empty one. */
export function categoryOf(trip: Pick<Trip, "usageCategory">): string {
  return defanged(trip.usageCategory, 80) || "an unnamed category";
}

function spent({ evidence, trip }: Incident): Fact[] {
  return evidence === null ? [] : spendToday(evidence, trip);
}

function spendToday({ currency, categoryPriceToday, totalPriceToday, readAt }: Evidence, trip: Trip | null): Fact[] {
  const parts: string[] = [];
  if (categoryPriceToday !== null && trip !== null) {
    parts.push(`${money(categoryPriceToday, currency)} for ${categoryOf(trip)}`);
  }
  if (totalPriceToday !== null) parts.push(`${money(totalPriceToday, currency)} in all`);
  if (parts.length === 0) return [];
  return [{ label: "Spent today", value: `${parts.join(", ")} (read ${utc(readAt)}; Twilio's figures lag)` }];
}

function done(about: AlertSubject, incident: Incident): string {
  switch (about) {
    case "suspended":
      return suspendedHow(incident);
    case "alerted":
      return "nothing was changed on the account: recorded and alerted only";
    case "failed":
      return `tried to suspend the account, without success: ${failureOf(incident)}`;
    case "not-understood":
      return "nothing was changed on the account because of it; the webhook is kept";
    case "reactivated":
      return "set active, and read back as active";
    case "not-reactivated":
      return wentLive(incident.reactivation) === "no"
        ? "the account was not set active"
        : "suspended again, and read back as suspended";
    case "dismissed":
      return "the incident is over; nothing was changed on the account";
    case "tampered":
      return "nothing was changed on the account";
    case "reminder":
      return "nothing: it waits for a person";
    case "calls-ended":
      return "no call is left to end: Twilio lists none any more";
  }
}

function suspendedHow({ containment }: Incident): string {
  switch (containment?.by) {
    case undefined:
    case "tollbreaker":
      return "suspended by Tollbreaker, and read back as suspended";
    case "already-suspended":
      return "nothing to do: it was already suspended";
    case "suspended-by-twilio":
      return "nothing to do: Twilio itself had suspended it (error 21478)";
    case "closed":
      return "nothing to do: the account is closed (error 21479)";
  }
}

function failureOf({ failure }: Incident): string {
  if (failure === null) return "no reason was recorded";
  const goesOn = failure.retrying ? "it goes on trying" : "it has given up";
  return `${withCode(defanged(failure.message, 400) || "no message", failure.twilioCode)}; ${goesOn}`;
}

function callsFact({ containment }: Incident): Fact[] {
  if (containment === null) return [];
  const left = containment.callsLeft === null ? "how many are left is not known" : `${containment.callsLeft} left`;
  return [{ label: "Calls", value: `${containment.callsEnded} ended, ${left}` }];
}
