import { compare, sum } from "../../lib/decimal.ts";
import type { Currency } from "../triggers/check-currencies.ts";
import type { Survey } from "../triggers/survey.ts";
import { type Finding, open } from "./finding.ts";

/** What this run has seen of a live account. */
export interface Sighted {
  found: Survey;
  currencies: readonly Currency[];
  /** The parent's own total of today, as a decimal string; null when it was not read. */
  parentSpentToday: string | null;
  /** Whether this Twilio is the real one: a simulated one answers nothing here. */
  isReal: boolean;
}

interface Question {
  about: string;
  asks: string;
  howTo: string;
  /** Undefined where this run saw nothing that tells. */
  seen?(sighted: Sighted): string | undefined;
}

/** What Twilio's documentation leaves open. Tollbreaker works with either answer; docs/doctor.md says how. */
const QUESTIONS: readonly Question[] = [
  {
    about: "parent trigger",
    asks: "Does a usage trigger of the parent count what subaccounts use?",
    howTo: "make one on the parent at a small value, let a subaccount pass it, and look whether date_fired is set",
    seen: parentTotal,
  },
  {
    about: "error webhook",
    asks: "Which accounts' errors does the parent's debugger webhook deliver, and whose token signs those of a subaccount?",
    howTo:
      "cause an error on a subaccount (fetch a TwiML URL that is 404), and look at `signedBy` in the debugger function's log",
  },
  {
    about: "main API key",
    asks: "May a Main API key of the parent set a subaccount's status?",
    howTo: "with such a key, set a test subaccount suspended and active again",
  },
  {
    about: "own reactivation",
    asks: "Can a suspended subaccount set itself active with its own token?",
    howTo: "suspend a test subaccount, then POST Status=active with its own credentials (expected: 401)",
  },
  {
    about: "suspended reads",
    asks: "Can the parent read and end calls, and read triggers, of a suspended subaccount?",
    howTo: "suspend a test subaccount with a call in progress, and end that call with the parent's credentials",
    seen: suspendedRead,
  },
  {
    about: "own suspension",
    asks: "Can a subaccount suspend itself with its own token?",
    howTo: "POST Status=suspended with a test subaccount's own credentials; Tollbreaker never relies on it",
  },
  {
    about: "messaging geo",
    asks: "Does the API of messaging geo permissions work for this account?",
    howTo: "GET https://accounts.twilio.com/v1/Messaging/GeoPermissions with a subaccount's own credentials",
  },
  {
    about: "refusals",
    asks: "With which HTTP status does Twilio refuse a status update (21477, 21478)?",
    howTo: "look at `failure` in an incident that says so; Tollbreaker goes by the code alone",
  },
  {
    about: "times of firings",
    asks: "How does Twilio write DateFired?",
    howTo: "let a trigger fire, and compare `dateFired` in its signal with what is listed here",
    seen: dateFiredSample,
  },
  {
    about: "retries",
    asks: "How long does Twilio wait between its retries of a callback, and how long can an IdempotencyToken be?",
    howTo: "let a test callback answer 503 three times, and look at when the next ones come, and at their parameters",
  },
  {
    about: "overrides",
    asks: "Does Twilio keep the connection overrides in a trigger's CallbackUrl?",
    howTo: "`tollbreaker triggers apply`, then run this again",
    seen: keptOverrides,
  },
  {
    about: "suspended fires",
    asks: "Do the triggers of a suspended account still fire?",
    howTo: "suspend a test subaccount just below a limit, with calls in progress, and look at date_fired",
  },
];

/** Pure. Each open question, with what was seen that helps to answer it, and how to find out. */
export function unknowns(sighted: Sighted): Finding[] {
  return QUESTIONS.map(({ about, asks, howTo, seen }) => {
    const answer = sighted.isReal ? seen?.(sighted) : "this Twilio is simulated";
    return open(about, `${asks} Seen: ${answer ?? "nothing that tells"}.`, howTo);
  });
}

function parentTotal({ currencies, parentSpentToday }: Sighted): string | undefined {
  const spent = currencies.flatMap((one) => (one.kind === "known" && one.spentToday !== null ? [one.spentToday] : []));
  const total = sum(spent);
  if (parentSpentToday === null || compare(total, "0") <= 0) return undefined;
  const includes = compare(parentSpentToday, total) >= 0;
  return `today's Usage Records of the parent (${parentSpentToday}) ${includes ? "may" : "do not"} include its subaccounts' (${total})`;
}

function suspendedRead({ found }: Sighted): string | undefined {
  const isSuspended = ({ account }: { account: { status: string } }) => account.status === "suspended";
  const [read, unread] = [found.surveyed.filter(isSuspended).length, found.unread.filter(isSuspended).length];
  if (read + unread === 0) return undefined;
  return `the triggers of ${read} suspended accounts could be read, of ${unread} not`;
}

function dateFiredSample({ found }: Sighted): string | undefined {
  const fired = found.surveyed.flatMap(({ triggers }) => triggers.flatMap(({ dateFired }) => dateFired ?? []));
  return fired[0] === undefined ? undefined : `its lists say ${JSON.stringify(fired[0])}`;
}

function keptOverrides({ found }: Sighted): string | undefined {
  const isOurs = found.surveyed.flatMap(({ plan }) => [...plan.keep, ...plan.update.map(({ trigger }) => trigger)]);
  const kept = isOurs.filter(({ callbackUrl }) => callbackUrl.includes("#rc=")).length;
  return isOurs.length === 0 ? undefined : `${kept} of ${isOurs.length} of ours are listed with them`;
}
