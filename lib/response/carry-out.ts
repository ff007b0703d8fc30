import type { BatchCommand, CheckCommand, Command, ReleaseBrakeCommand, SuspendCommand } from "../inbox/commands.ts";
import { identityOf } from "../inbox/messages.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { checklistRead, commandRefused } from "../incidents/coming-back.ts";
import { wishOf } from "../incidents/wish.ts";
import { adopt } from "./adopt.ts";
import { carryOutBatch } from "./carry-out-batch.ts";
import { suspendWithoutStore } from "./contain-without-store.ts";
import { dismiss } from "./dismiss.ts";
import { endRaise } from "./end-raise.ts";
import { finishSoon, whyUnfinished } from "./finish.ts";
import { measure } from "./measure.ts";
import { raiseLimit } from "./raise-limit.ts";
import { underRaises } from "./raised.ts";
import { type CarriedOut, reactivate } from "./reactivate.ts";
import { readChecklistAnew } from "./read-checklist.ts";
import { type Recollection, recall } from "./recollect.ts";
import { releaseBrake } from "./release-brake.ts";
import { CALLS_SHARE, type Order, type Outcome, type Responder, share } from "./responder.ts";
import { restoreNumbers } from "./restore-numbers.ts";
import { whyStale } from "./stale-command.ts";
import { suspendByHand } from "./suspend-by-hand.ts";

/**
 * The story of one command: recall ─ carry it out, or refuse it ─ record ─ alert ─ mark as seen. Whoever accepted it has
 * checked what is on record; here it is checked again, on fresh readings, in the account's own order.
 *
 * @throws whatever the store throws: the message is then tried again.
 */
export async function carryOut(responder: Responder, order: Order): Promise<Outcome> {
  const { store, clock, log } = responder;
  const { command, ...turn } = order;
  const { accountSid, id, kind } = command;
  const recalled = await recall(responder, accountSid, identityOf(command));
  if (recalled.kind === "failed") {
    if (command.kind === "suspend") return suspendWithoutStore(responder, { command, ...turn }, recalled);
    return { kind: "again", why: `our own table could not be read: ${recalled.why}` };
  }
  const { recollection } = recalled;
  if (recollection.memory.seen) return { kind: "done" };

  const { record, again } = await act(responder, order, recollection);
  log.info("command-carried-out", { accountSid, command: id, kind, state: record?.incident.state ?? null });
  if (record !== undefined) await finishSoon(responder, order, record);
  if (again !== undefined) return { kind: "again", why: again };

  await store.markSeen(accountSid, identityOf(order.command), clock.now());
  return { kind: "done" };
}

type Acted = Partial<CarriedOut>;

async function act(plain: Responder, order: Order, current: Recollection): Promise<Acted> {
  const { command, ...turn } = order;
  const responder = underRaises(plain, command.accountSid, current.memory);
  switch (command.kind) {
    case "release-brake":
      return byReleasing(responder, { command, ...turn });
    case "batch":
      return byEach(responder, { command, ...turn });
    case "suspend":
      return bySuspending(responder, { command, ...turn }, current);
    case "adopt":
      return given(await adopt(responder, { command, ...turn }, current));
    case "reactivate":
      return onIncident(responder, command, (found) => reactivate(responder, { command, ...turn }, found));
    case "dismiss":
      return onIncident(responder, command, async (found) =>
        given(await dismiss(responder, { command, ...turn }, found)),
      );
    case "check":
      return onIncident(responder, command, async (found) =>
        given(await check(responder, { command, ...turn }, found)),
      );
    case "raise-limit":
      return unfinished(await raiseLimit(plain, { command, ...turn }, current.memory));
    case "end-raise":
      return unfinished(await endRaise(plain, { command, ...turn }, current.memory));
    case "restore-numbers":
      return onIncident(responder, command, (found) => restoreNumbers(responder, { command, ...turn }, found));
  }
}

async function byReleasing(responder: Responder, order: Order<ReleaseBrakeCommand>): Promise<Acted> {
  const { clock, log } = responder;
  const why = whyStale(order.command, undefined, clock.now());
  if (why === undefined) return unfinished(await releaseBrake(responder, order));
  log.warn("command-refused", { command: order.command.id, why });
  return {};
}

async function byEach(responder: Responder, order: Order<BatchCommand>): Promise<Acted> {
  const { clock, log } = responder;
  const why = whyStale(order.command, undefined, clock.now());
  if (why === undefined) return unfinished(await carryOutBatch(responder, order.command));
  log.warn("command-refused", { command: order.command.id, why });
  return {};
}

async function bySuspending(responder: Responder, order: Order<SuspendCommand>, current: Recollection): Promise<Acted> {
  const record = await suspendByHand(responder, order, current);
  measure(responder.log, current.known, record);
  const again = whyUnfinished(record);
  return { ...given(record), ...(again !== undefined && { again }) };
}

function unfinished(again: string | undefined): Acted {
  return again === undefined ? {} : { again };
}

function given(record: IncidentRecord | undefined): Acted {
  return record === undefined ? {} : { record };
}

async function onIncident(
  { store, clock, log }: Responder,
  command: Exclude<Command, { kind: "suspend" | "adopt" | "release-brake" | "batch" | "raise-limit" | "end-raise" }>,
  carry: (found: IncidentRecord) => Promise<Acted>,
): Promise<Acted> {
  const { id, accountSid, incidentId } = command;
  const found = await store.load(incidentId);
  // Whoever accepted it has read the incident, so this is a defect, and no story to write it into.
  if (found === undefined || found.incident.accountSid !== accountSid) {
    log.error("command-without-incident", { command: id, accountSid, incidentId });
    return {};
  }
  const why = whyStale(command, found, clock.now());
  if (why === undefined) return carry(found);
  const now = clock.now();
  return { record: await store.change(found, (record) => commandRefused(record, wishOf(command), why, now)) };
}

async function check(responder: Responder, order: Order<CheckCommand>, found: IncidentRecord): Promise<IncidentRecord> {
  const { store, clock } = responder;
  const wish = wishOf(order.command);
  if (found.incident.state !== "suspended") {
    const why = `only a suspended account is checked; its incident is ${found.incident.state}`;
    const now = clock.now();
    return store.change(found, (record) => commandRefused(record, wish, why, now));
  }
  const { checklist } = await readChecklistAnew(responder, found, share(responder, order, CALLS_SHARE));
  return store.change(found, (record) => checklistRead(record, checklist, wish));
}
