import pLimit from "p-limit";
import { notice } from "../alerts/notice.ts";
import type { BatchCommand, Command } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { digestOf } from "../incidents/checklist.ts";
import type { Incident } from "../incidents/incident.ts";
import type { Responder } from "./responder.ts";

const AT_ONCE = 25;
/** Between two looks at how far they are. */
const LOOK_EVERY_S = 5;
/** What is not over by then is said to be under way: twice as long as a command waits in the inbox. */
const LONGEST_MS = 30 * 60_000;

type Member = BatchCommand["incidents"][number];

/**
 * A false alarm is undone: each incident by a command of its own, in its own account's order, with the same checks as if it
 * were asked for alone. Repeatable: the same request sends the same commands, which are carried out once.
 * @returns why it must be carried on; undefined once all are sent.
 */
export async function carryOutBatch(responder: Responder, command: BatchCommand): Promise<undefined> {
  const { inbox, followUps, log } = responder;
  await pLimit(AT_ONCE).map(command.incidents, async (member) => {
    const own = await commandFor(responder, command, member);
    if (own !== undefined) await inbox.put(own);
  });
  await followUps.put({ kind: "batch", command }, LOOK_EVERY_S);
  const { operator, road, action, incidents } = command;
  log.warn("batch-carried-out", { operator, road, action, incidents: incidents.length });
  return undefined;
}

/** Undefined where the incident is not there any more. What was shown is what is on record, where the digest says so. */
async function commandFor(
  { store }: Responder,
  batch: BatchCommand,
  { incidentId, accountSid, checklist }: Member,
): Promise<Command | undefined> {
  const { operator, road, reason, receivedAt, action, acknowledge, cleanup, countries, incidents } = batch;
  const found = await store.load(incidentId);
  if (found === undefined || found.incident.accountSid !== accountSid) return undefined;
  const own = { id: commandOf(batch, incidentId), accountSid, incidentId, operator, road, reason, receivedAt };
  const part = { ...own, batch: { id: batch.id, of: incidents.length } };
  if (action === "dismiss") return { kind: "dismiss", ...part };
  const list = found.incident.checklist;
  const seen = list !== null && digestOf(list) === checklist ? [...list.items] : [];
  return { kind: "reactivate", ...part, acknowledge, cleanup, countries, seen };
}

function commandOf({ id }: BatchCommand, incidentId: string): string {
  return `${id}:${incidentId}`;
}

/** One alert for all of them, once they are over. @returns why it must be looked at again; undefined when people are told. */
export async function summariseBatch(responder: Responder, command: BatchCommand): Promise<string | undefined> {
  const { alerts, followUps, store, clock } = responder;
  const now = clock.now();
  const told = { account: command.accountSid, identity: `summary:${command.id}` };
  if ((await store.recall(told.account, told.identity)).seen) return undefined;
  const fates = await pLimit(AT_ONCE).map(command.incidents, (member) => fateOf(responder, command, member));
  const isLate = now.getTime() - Date.parse(command.receivedAt) > LONGEST_MS;
  if (!isLate && fates.some(({ end }) => end === "under way")) {
    // A message of its own: to wait is no failure, and uses up no deliveries.
    await followUps.put({ kind: "batch", command }, LOOK_EVERY_S);
    return undefined;
  }
  await alerts.publish(summary(command, fates, now));
  await store.markSeen(told.account, told.identity, now);
  return undefined;
}

interface Fate {
  account: string;
  end: "done" | "not done" | "under way";
  why: string;
}

async function fateOf({ store }: Responder, batch: BatchCommand, { incidentId, accountSid }: Member): Promise<Fate> {
  const command = commandOf(batch, incidentId);
  const [found, { seen }] = await Promise.all([store.load(incidentId), store.recall(accountSid, command)]);
  if (found === undefined) return { account: accountSid, end: "not done", why: "its incident is not on record" };
  const account = nameIn(found);
  if (isDone(found.incident, command)) return { account, end: "done", why: "" };
  if (!seen) return { account, end: "under way", why: "not over yet" };
  return { account, end: "not done", why: whyNot(found.incident, command) };
}

function nameIn({ incident: { friendlyName, accountSid } }: IncidentRecord): string {
  return friendlyName === null ? accountSid : `${friendlyName} (${accountSid})`;
}

function isDone({ state, reactivation, dismissal }: Incident, command: string): boolean {
  if (state === "reactivated") return reactivation?.command === command;
  return state === "dismissed" && dismissal?.command === command;
}

function whyNot({ id, state, reactivation }: Incident, command: string): string {
  const why = reactivation?.command === command ? reactivation.failure : null;
  return why ?? `it was refused, and is ${state}: incidents show ${id}`;
}

function summary(command: BatchCommand, fates: readonly Fate[], now: Date) {
  const { id, action, operator, road, reason, rules, since } = command;
  const named = (end: Fate["end"]) => fates.filter((fate) => fate.end === end);
  const [done, others] = [named("done"), [...named("not done"), ...named("under way")]];
  const verb = action === "reactivate" ? "reactivated" : "dismissed";
  return notice({
    id: `batch:${id}`,
    kind: "batch",
    severity: others.length === 0 ? "info" : "warning",
    subject: `${done.length} of ${fates.length} incidents ${verb} at once`,
    headline: `${operator} had ${fates.length} incidents ${verb} at once: ${done.length} are.`,
    facts: [
      { label: "Asked by", value: `${operator} (${road})` },
      { label: "Reason", value: reason },
      { label: "Because of", value: `${rules.join(", ")}, fired since ${since}` },
      ...(done.length === 0
        ? []
        : [
            {
              label: verb === "dismissed" ? "Dismissed" : "Reactivated",
              value: done.map(({ account }) => account).join(", "),
            },
          ]),
      ...(others.length === 0
        ? []
        : [{ label: `Not ${verb}`, value: others.map(({ account, why }) => `${account}: ${why}`).join("; ") }]),
    ],
    nextStep: others.length === 0 ? "" : `Look at each that was not ${verb}: npm run -s tollbreaker -- incidents list`,
    at: now.toISOString(),
    drillId: null,
  });
}
