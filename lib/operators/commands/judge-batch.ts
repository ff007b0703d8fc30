import pLimit from "p-limit";
import type { LeftOut } from "../../http/problem.ts";
import type { BatchCommand } from "../../inbox/commands.ts";
import type { Check, CheckId } from "../../incidents/checklist.ts";
import type { Incident } from "../../incidents/incident.ts";
import { INCIDENT_ID, type IncidentReader } from "../../incidents/incident-reader.ts";
import type { Policy } from "../../policy/policy.ts";
import { noSuchIncident } from "../no-such-incident.ts";
import { readRecord } from "../read-record.ts";
import { countryMistakes } from "./countries.ts";
import { otherFirings } from "./firings.ts";
import { type Envelope, judgeFound } from "./judge-incident-command.ts";
import type { Found } from "./judge-restoration.ts";
import { reasonMistakes } from "./reason.ts";
import { type Batch, refusalFor, refused, type Verdict } from "./verdict.ts";
import type { WishedBatch, WishedOfIncident } from "./wished.ts";

export interface BatchParts {
  incidents: IncidentReader;
  policy: Policy;
  parentSid: string;
}

const AT_ONCE = 25;

/**
 * Each incident is judged as if it were asked for alone, and by what needs a person's look: those that do not pass are left
 * out, with the reason. Its messages stand in the parent's order, as the brake's do.
 */
export async function judgeBatch(parts: BatchParts, wish: WishedBatch, envelope: Envelope): Promise<Verdict> {
  const flawed = refusalFor([...reasonMistakes(envelope.reason), ...countryFlaws(wish)]);
  if (flawed !== undefined) return flawed;
  const wanted = new Map(wish.incidents.map((one) => [one.id, one]));
  const judged = await pLimit(AT_ONCE).map([...wanted.values()], (one) => judgeOne(parts, wish, envelope, one));
  const taken = judged.filter((one) => one.kind !== "left-out");
  const leftOut = judged.flatMap((one) => (one.kind === "left-out" ? [one.leftOut] : []));
  if (taken.length === 0) return refused({ ...NONE_LEFT, got: `${leftOut.length} of them`, leftOut });
  const incidents = taken.map(({ incident: { id, accountSid } }) => ({
    ...{ id, accountSid, command: commandOfOne(envelope, id) },
  }));
  const batch: Batch = { incidents, leftOut };
  if (taken.every(({ kind }) => kind === "repeated")) return { kind: "repeated", incidentId: null, batch };
  return { kind: "ready", incidentId: null, batch, command: commandFor(parts, wish, envelope, batch) };
}

/** The id of the command that one incident of the request gets. */
function commandOfOne({ id }: Pick<Envelope, "id">, incidentId: string): string {
  return `${id}:${incidentId}`;
}

const NONE_LEFT = {
  status: 409,
  code: "none-left",
  title: "Each needs a look",
  detail: "None of these incidents can be dealt with together with others: `leftOut` says why, for each.",
  expected: "at least one that can",
  fix: "look at each of `leftOut` by itself (GET /api/incidents/{id})",
} as const;

function countryFlaws(wish: WishedBatch) {
  return wish.action === "dismiss" ? [] : countryMistakes({ ...answersIn(wish), kind: "reactivate", incidentId: "" });
}

type Judged = { kind: "ready" | "repeated"; incident: Incident } | { kind: "left-out"; leftOut: LeftOut };

async function judgeOne(
  { incidents, policy }: BatchParts,
  wish: WishedBatch,
  envelope: Envelope,
  { id, checklist }: WishedBatch["incidents"][number],
): Promise<Judged> {
  const found = INCIDENT_ID.test(id) ? await readRecord(() => incidents.get(id)) : undefined;
  if (found === undefined)
    return leftOut({ id, accountSid: null, code: "incident-not-found", why: noSuchIncident(id).detail });
  const { incident } = found;
  const { accountSid } = incident;
  const own = singleOf(wish, id, checklist);
  const verdict = await judgeFound(incidents, found, own, { ...envelope, id: commandOfOne(envelope, id) });
  if (verdict.kind === "repeated") return { kind: "repeated", incident };
  // Of one that is over, or on its way back, nothing else matters.
  const isInTheWay = verdict.kind === "refused" && verdict.problem.state !== undefined;
  const look = isInTheWay ? undefined : whyLook(found, wish, policy);
  if (look !== undefined) return leftOut({ id, accountSid, ...look });
  if (verdict.kind === "ready") return { kind: "ready", incident };
  const { code, detail, missing = [] } = verdict.problem;
  const open = missing.map((item) => `${item.id}: ${item.why}`).join("; ");
  return leftOut({ id, accountSid, code, why: open === "" ? detail : `${detail} ${open}` });
}

function leftOut(one: LeftOut): Judged {
  return { kind: "left-out", leftOut: one };
}

function singleOf(wish: WishedBatch, incidentId: string, checklist: string | undefined): WishedOfIncident {
  const { action, reason } = wish;
  if (action === "dismiss") return { kind: "dismiss", incidentId, reason };
  return { kind: "reactivate", incidentId, ...answersIn(wish), ...(checklist !== undefined && { checklist }) };
}

function answersIn({ reason, acknowledge, cleanup, countries }: WishedBatch) {
  return { reason, acknowledge, cleanup, countries };
}

/** Why nobody can decide about this one together with others; undefined where somebody can. */
function whyLook(found: Found, wish: WishedBatch, policy: Policy): Pick<LeftOut, "code" | "why"> | undefined {
  const { incident } = found;
  const { rule, firedAt, openedAt, suspension } = incident;
  if (!wish.rules.includes(rule)) return { code: "other-rule", why: `It tripped by ${rule}.` };
  const fired = firedAt ?? openedAt;
  if (Date.parse(fired) < Date.parse(wish.since)) return { code: "other-time", why: `It fired at ${fired}.` };
  if (suspension !== null) return { code: "needs-a-look", why: `${suspension.operator} asked for its suspension.` };
  const others = otherFirings(found, wish.rules, policy);
  if (others.length > 0) return { code: "other-rule", why: `It tripped by something else, too: ${others.join("; ")}.` };
  const checks = wish.action === "reactivate" ? unusualChecks(incident, wish) : [];
  if (checks.length === 0) return undefined;
  return { code: "needs-a-look", why: checks.map(({ id, why }) => `${id}: ${why}.`).join(" ") };
}

/** What may be accepted of many accounts at once is what any of them has: no item that says that somebody was at it. */
function unusualChecks({ checklist }: Incident, { acknowledge, cleanup }: WishedBatch): Check[] {
  const isAccepted = (id: CheckId) => acknowledge.includes(id) && !cleanup.some((other) => other === id);
  return (checklist?.items ?? []).filter((item) => isAccepted(item.id) && item.answer !== "done" && !isUsual(item));
}

function isUsual({ id, answer, why }: Check): boolean {
  if (answer === "cannot-tell") return false;
  switch (id) {
    case "auth-token":
    case "triggers":
      return true;
    case "api-keys":
      // In the words of judgeApiKeys: a key that was made while the account was spending may be whose it should not be.
      return why.includes(", 0 made during it");
    case "suspended-by":
    case "live-calls":
      return false;
  }
}

function commandFor(
  { parentSid }: BatchParts,
  { action, rules, since, acknowledge, cleanup, countries, incidents }: WishedBatch,
  envelope: Envelope,
  batch: Batch,
): BatchCommand {
  const shownOf = new Map(incidents.map(({ id, checklist }) => [id, checklist ?? null]));
  return {
    ...{ kind: "batch", ...envelope, accountSid: parentSid, action, rules: [...new Set(rules)], since },
    ...{ acknowledge: [...new Set(acknowledge)], cleanup: [...new Set(cleanup)], countries: [...new Set(countries)] },
    incidents: batch.incidents.map(({ id, accountSid }) => ({
      ...{ incidentId: id, accountSid, checklist: shownOf.get(id) ?? null },
    })),
  };
}
