import { type Notice, notice } from "../alerts/notice.ts";
import type { SetAside } from "../twilio/accounts.ts";
import type { Run } from "./run-store.ts";
import { MOST_NAMES, type Names } from "./tally.ts";

/** What people are told of a sweep, each at most once for all accounts together. */

/** Subaccounts that were never seen before; with the very first sweep that is all of them. */
export function armedNotice(run: Run, now: Date): Notice {
  const { arrived, createdAnew: created } = run.counts;
  const isFirst = run.lastFinishedAt === null;
  const many = accounts(arrived);
  return notice({
    ...envelope(run, "armed", now),
    subject: isFirst ? `Tollbreaker watches ${many} from now on` : `New: ${many}, armed`,
    headline: isFirst
      ? `The first sweep is through: ${many} ${verb(arrived, "carries", "carry")} the policy's usage triggers.`
      : `${many} never seen before: now ${verb(arrived, "it carries", "they carry")} the policy's usage triggers.`,
    facts: [
      ...(isFirst ? [] : [{ label: "Accounts", value: named(run.names, "arrived", arrived) }]),
      { label: "Triggers", value: created === 0 ? "all were there already" : `${created} created` },
    ],
    nextStep: "",
  });
}

/** What was so before we watched. Nothing was suspended for it. */
export function foundNotice(run: Run, now: Date): Notice {
  const { overBefore, suspendedBefore } = run.counts;
  const over = overBefore > 0 ? [`${accounts(overBefore)} over a limit already`] : [];
  const suspended = suspendedBefore > 0 ? [`${accounts(suspendedBefore)} suspended already`] : [];
  const what = [...over, ...suspended].join(", and ");
  return notice({
    ...envelope(run, "found-before", now),
    severity: "warning",
    subject: `Found: ${what}`,
    headline: `Tollbreaker found ${what}. What fired before it watched suspends nobody by itself: an account may have been brought back since.`,
    facts: [
      ...(overBefore > 0 ? [{ label: "Over a limit", value: named(run.names, "overBefore", overBefore) }] : []),
      ...(suspendedBefore > 0
        ? [{ label: "Suspended", value: named(run.names, "suspendedBefore", suspendedBefore) }]
        : []),
    ],
    nextStep: [
      overBefore > 0
        ? "Look at each that is over its limit: one whose limit had fired is guarded, and stopped once it spends as much more as a probation allows. Suspend it, if it must not go on (tollbreaker suspend SID)."
        : "",
      suspendedBefore > 0
        ? "To bring a suspended one back by Tollbreaker, adopt it first (tollbreaker accounts adopt SID, or --all)."
        : "",
    ]
      .filter((step) => step !== "")
      .join(" "),
  });
}

/** Triggers that somebody removed or changed. */
export function driftNotice(run: Run, now: Date): Notice {
  const { drifted, created, createdAnew, updated, removed } = run.counts;
  return notice({
    ...envelope(run, "drift-repaired", now),
    severity: "warning",
    subject: `Usage triggers repaired on ${accounts(drifted)}`,
    headline: `The usage triggers of ${accounts(drifted)} were not as the policy wants them, and were repaired.`,
    facts: [
      { label: "Accounts", value: named(run.names, "drifted", drifted) },
      {
        label: "Triggers",
        value: `${created - createdAnew} created, ${updated} made to call us again, ${removed} removed`,
      },
    ],
    nextStep:
      "If the policy was changed, that is why. If not, find out who removes or changes triggers: an attacker may.",
  });
}

/** Another stage on the same parent, or an earlier region; or somebody who calls himself one. Told once for each account. */
export function otherTollbreakerNotice(run: Run, now: Date): Notice {
  const { otherTollbreaker } = run.counts;
  const many = accounts(otherTollbreaker);
  return notice({
    ...envelope(run, "other-tollbreaker", now),
    severity: "warning",
    subject: `Another Tollbreaker watches ${many}`,
    headline: `${many} ${verb(otherTollbreaker, "carries", "carry")} usage triggers that call another Tollbreaker. They are left as they are; ours are there beside them.`,
    facts: [{ label: "Accounts", value: named(run.names, "otherTollbreaker", otherTollbreaker) }],
    nextStep:
      "If it is yours (another stage, an earlier region), let one of them watch these accounts: remove the other, or make its triggers ours (tollbreaker triggers apply --take-over). Until then an older version of it may take ours. If an address is not yours, whoever put it there holds the account's auth token: change the token.",
  });
}

/** Triggers that were put right, and soon after had to be put right again. Told once an hour for each account. */
export function repeatedNotice(run: Run, now: Date): Notice {
  const { repeated } = run.counts;
  const many = accounts(repeated);
  return notice({
    ...envelope(run, "drift-repeated", now),
    severity: "critical",
    subject: `Somebody keeps removing triggers of ${many}`,
    headline: `The sweep put usage triggers of ${many} right, and soon after ${verb(repeated, "it", "they")} had to be put right again: somebody removes or changes them.`,
    facts: [{ label: "Accounts", value: named(run.names, "repeated", repeated) }],
    nextStep:
      "Whoever holds the account's auth token can do that: change the token, or suspend the account. If the policy was deployed twice, or two versions of it are in use, that is why.",
  });
}

/** Accounts that nobody but a person can arm. Each is told when it becomes one, and then once a day. */
export function troubleNotice(run: Run, now: Date): Notice {
  const { refused, newlyRefused } = run.counts;
  const others = refused - newlyRefused;
  return notice({
    ...envelope(run, "sweep-trouble", now),
    severity: "critical",
    subject: `${accounts(newlyRefused)} could not be armed`,
    headline: `${accounts(newlyRefused)} ${verb(newlyRefused, "lacks", "lack")} usage triggers, and Twilio did not let the sweep create them: spending there may go unseen.`,
    facts: [
      { label: "Accounts", value: named(run.names, "refused", newlyRefused) },
      ...(others > 0 ? [{ label: "Others", value: `${others} more, told before` }] : []),
    ],
    nextStep: "Do what the reason says; the next sweep tries again.",
  });
}

/** Accounts on which a limit would mean other money than the policy says. Told once for each. */
export function currencyNotice(run: Run, now: Date): Notice {
  const { otherCurrency } = run.counts;
  return notice({
    ...envelope(run, "other-currency", now),
    severity: "critical",
    subject: `${accounts(otherCurrency)} not billed in the policy's currency: spend is not watched`,
    headline: `${accounts(otherCurrency)} ${verb(otherCurrency, "is", "are")} billed in another currency than the policy's, where each limit on money would mean another amount. Those limits are not made there, so ${verb(otherCurrency, "its", "their")} spend goes unwatched; any that were made before stay, and fire at that other amount. Limits by count and usage are there as everywhere.`,
    facts: [{ label: "Accounts", value: named(run.names, "otherCurrency", otherCurrency) }],
    nextStep:
      "Give each of them values of its own, in its own currency, for the limits on money (in the policy's `accounts`); or correct the policy's `currency`. Then deploy.",
  });
}

/** Rows of Twilio's list that can't be understood. Told once a day. */
export function setAsideNotice(run: Run, setAside: readonly SetAside[], now: Date): Notice {
  const many = accounts(setAside.length);
  const shown = setAside.slice(0, MOST_NAMES).map(({ sid, why }) => `${sid ?? "one without a SID"}: ${why}`);
  return notice({
    ...envelope(run, "accounts-set-aside", now),
    severity: "critical",
    subject: `${many} can't be watched: Twilio's list of accounts is odd`,
    headline: `Twilio lists ${many} in a way that the sweep does not understand. ${verb(setAside.length, "It is", "They are")} not swept: lost webhooks and removed triggers there go unseen. All others are swept.`,
    facts: [{ label: "Accounts", value: withRest(shown, setAside.length) }],
    nextStep: "Look at each of them in the Twilio Console. If Twilio has a new status, a new version has to know it.",
  });
}

/** The end of Twilio's list could not be read. Told once a day. */
export function incompleteNotice(run: Run, why: string, now: Date): Notice {
  return notice({
    ...envelope(run, "list-incomplete", now),
    severity: "critical",
    subject: "Not all subaccounts are swept: Twilio's list of accounts broke off",
    headline:
      "Twilio did not give the whole list of accounts. Those on the missing pages are not swept: lost webhooks and removed triggers there go unseen.",
    facts: [{ label: "Why", value: why.slice(0, 500) }],
    nextStep: "Nothing, if it passes: each sweep reads the list anew. If it lasts, ask Twilio Support why.",
  });
}

export function dailySummary(run: Run, now: Date): Notice {
  const { counts } = run;
  return notice({
    ...envelope(run, "daily-summary", now),
    id: `summary:${now.toISOString().slice(0, 10)}`,
    subject: `Tollbreaker: ${counts.armed} of ${accounts(counts.accounts)} armed, ${counts.quiet} quiet`,
    headline: `${counts.armed} of ${accounts(counts.accounts)} carry every usage trigger of the policy; ${counts.quiet} of them are quiet.`,
    facts: [
      { label: "Suspended", value: String(counts.suspended) },
      { label: "Incidents", value: `${counts.open} open` },
      { label: "Not read", value: String(counts.unread) },
    ],
    nextStep: counts.unread === 0 ? "" : "What was not read is read by the next sweep; if it lasts, see the log.",
  });
}

function envelope({ sweepId }: Run, kind: Notice["kind"], now: Date) {
  return { id: `sweep:${sweepId}:${kind}`, kind, severity: "info" as const, at: now.toISOString(), drillId: null };
}

function accounts(count: number): string {
  return count === 1 ? "1 subaccount" : `${count} subaccounts`;
}

function verb(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

function named(names: Names, kind: keyof Names, count: number): string {
  return withRest(names[kind].slice(0, MOST_NAMES), count);
}

function withRest(shown: readonly string[], count: number): string {
  const rest = count - shown.length;
  return rest > 0 ? `${shown.join("; ")}; and ${rest} more` : shown.join("; ");
}
