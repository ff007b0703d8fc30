import type { Raise } from "../policy/raise.ts";
import { decimal } from "./amounts.ts";
import { type Notice, notice } from "./notice.ts";
import { ascii } from "./plain-text.ts";
import { utc } from "./times.ts";

/** A limit was raised for a while. */
export function raisedNotice(raise: Raise, friendlyName: string | null): Notice {
  const { accountSid, limit, from, to, until, command, at } = raise;
  return notice({
    id: `raise:${command}:raised`,
    kind: "limit-raised",
    severity: "info",
    subject: ascii(`Limit ${limit} of ${friendlyName || accountSid} raised`, 99),
    headline: `${limit} of ${nameOf(raise, friendlyName)} is ${decimal(to)} instead of ${decimal(from)} until ${utc(until)}. Beyond it, it trips as ever.`,
    facts: factsOf(raise, friendlyName),
    nextStep: `nothing: it ends by itself, and you are told. To end it now: accounts raise ${accountSid} --limit ${limit} --end`,
    at,
    drillId: null,
  });
}

/**
 * The policy's own value counts again.
 * @param value it, a decimal string; null where the policy has no such limit any more
 */
export function raiseEndedNotice(raise: Raise, friendlyName: string | null, value: string | null): Notice {
  const { accountSid, limit, command, ended } = raise;
  const by = ended?.operator ? `${ended.operator} took it back` : "its time is over";
  return notice({
    id: `raise:${command}:ended`,
    kind: "raise-ended",
    severity: ended?.rest ? "warning" : "info",
    subject: ascii(`Raised limit ${limit} of ${friendlyName || accountSid} has ended`, 99),
    headline: `${limit} of ${nameOf(raise, friendlyName)} is no longer raised: ${by}. ${whatCounts(raise, value)}`,
    facts: [...factsOf(raise, friendlyName), ...endFacts(raise)],
    nextStep: nextStepOf(raise),
    at: ended?.at ?? raise.until,
    drillId: null,
  });
}

function whatCounts({ ended }: Raise, value: string | null): string {
  if (value === null) return "The policy has no such limit any more.";
  if (!ended?.rest) return `The policy's ${decimal(value)} counts again.`;
  const { rest, spent } = ended;
  return `It has used ${decimal(spent ?? "")} by now, more than the policy's ${decimal(value)}: it is not suspended for that. Until ${utc(rest.until)} it trips at ${decimal(rest.to)}, then at ${decimal(value)} again.`;
}

function nextStepOf({ ended, accountSid, limit }: Raise): string {
  if (!ended?.rest) return "";
  return `look at what it spends now; to stop it: suspend ${accountSid}. If it needs more: accounts raise ${accountSid} --limit ${limit}`;
}

function nameOf({ accountSid }: Raise, friendlyName: string | null): string {
  return friendlyName ? `${friendlyName} (${accountSid})` : accountSid;
}

function factsOf(raise: Raise, friendlyName: string | null) {
  const { limit, from, to, at, until, operator, reason } = raise;
  return [
    { label: "Account", value: nameOf(raise, friendlyName) },
    { label: "Limit", value: `${limit}: ${decimal(from)} raised to ${decimal(to)}` },
    { label: "From, until", value: `${utc(at)}, ${utc(until)}` },
    { label: "By", value: operator },
    { label: "Why", value: reason },
  ];
}

function endFacts({ ended }: Raise) {
  if (ended === null) return [];
  const { at, operator, reason } = ended;
  return [
    { label: "Ended", value: operator === null ? utc(at) : `${utc(at)} by ${operator}` },
    ...(reason === null ? [] : [{ label: "Why ended", value: reason }]),
  ];
}
