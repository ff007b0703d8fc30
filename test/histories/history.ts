import { CLEANUP_IDS } from "../../lib/incidents/checklist.ts";
import { isOver } from "../../lib/incidents/transitions.ts";
import { accountIn, type Defect, recordsIn, type Wished } from "./core.ts";
import { type Found, type MonitorOptions, monitorsOf } from "./monitors/all.ts";
import { traceTo } from "./trace.ts";
import type { Part, PlannedFault } from "./world/faults.ts";
import type { Seen } from "./world/seen.ts";
import { within } from "./world/surroundings.ts";
import type { Forgery, Theft } from "./world/thief.ts";
import { type Delivery, type FunctionName, makeWorld, type Rules, type Setting, type World } from "./world/world.ts";

/** What happens in a history, one after the other; what it causes goes on meanwhile. Accounts are numbered. */
export type Step =
  | { do: "spend"; account: number; amount: number }
  /** Twilio looks which triggers are due, and calls us. */
  | { do: "evaluate"; webhooks: Delivery }
  | { do: "deliver-late" }
  | { do: "pass"; ms: number }
  | { do: "sweep" }
  | { do: "command"; account: number; command: CommandKind; cleanup: number; acknowledge: boolean; force: boolean }
  /** The next run of a function suffers this. */
  | { do: "fault"; of: FunctionName; plan: readonly PlannedFault[] }
  | { do: "outage"; of: Part; isOn: boolean }
  /** Somebody acts at Twilio, past us. */
  | { do: "outside"; account: number; act: "activate" | "suspend" | "suspend-by-twilio" | "close" }
  | { do: "deploy"; rules: Rules }
  | { do: "theft"; account: number; theft: Theft }
  /** Forged webhooks, so many of them, one after so many milliseconds. */
  | { do: "forge"; account: number; forgery: Forgery; times: number; everyMs: number }
  | { do: "unsigned"; account: number };

export type CommandKind = "suspend" | "reactivate" | "dismiss" | "check" | "release";

export interface Plot {
  setting: Setting;
  steps: readonly Step[];
  /** Of all chance in it. */
  seed: number;
}

export interface RunOptions extends MonitorOptions {
  defect?: Defect;
  trace?: ((line: string) => void) | undefined;
  watch?: (seen: Seen) => void;
}

/** What each step takes at least: long enough for some of what it causes, and not for all. */
const STEP_MS = 20;
const ARMING_MS = 300_000;
/** Together longer than anything that is tried again waits. */
const ROUNDS_AT_THE_END = 3;
const ROUND_MS = 600_000;

/** Plays `plot`, and looks what must never be, and what must be in the end, with everything in order again. */
export async function play(plot: Plot, options: RunOptions = {}): Promise<Found[]> {
  const world = makeWorld(plot.setting, options.defect);
  const monitors = monitorsOf(world, options);
  if (options.trace !== undefined) traceTo(world, options.trace);
  if (options.watch !== undefined) world.seen.watch(options.watch);
  return within({ ...world.surroundings, seed: plot.seed }, async () => {
    try {
      // A first sweep arms everybody.
      await sweepNow(world, ARMING_MS);
      for (const [index, step] of plot.steps.entries()) {
        monitors.step = index + 1;
        options.trace?.(`${index + 1} ${world.time.clock.now().toISOString()} ${JSON.stringify(step)}`);
        take(world, step);
        await world.time.pass(step.do === "pass" ? step.ms : STEP_MS);
      }
      monitors.step = plot.steps.length + 1;
      options.trace?.(`the end begins at ${world.time.clock.now().toISOString()}`);
      await comeToRest(world);
      monitors.atTheEnd();
    } finally {
      world.close();
    }
    return monitors.found;
  });
}

async function comeToRest(world: World): Promise<void> {
  const { faults, functions, time, twilio } = world;
  for (const part of faults.outages) outage(world, part, false);
  for (const one of Object.values(functions)) one.forgetPlans();
  await faults.flush();
  world.deliver("deliver");
  world.deliverLate();
  for (let round = 0; round < ROUNDS_AT_THE_END; round++) {
    void twilio.evaluateTriggers();
    await time.pass(ROUND_MS / 2);
    await sweepNow(world, ROUND_MS / 2);
  }
}

async function sweepNow({ sweep, time }: World, forMs: number): Promise<void> {
  void sweep();
  await time.pass(forMs);
}

/** Begins what the step says. */
function take(world: World, step: Step): void {
  const { twilio, thief, functions } = world;
  const sid = "account" in step ? (twilio.sids[step.account % twilio.sids.length] ?? "") : "";
  switch (step.do) {
    case "spend":
      if (twilio.known(sid).status === "active") twilio.addUsage(sid, { category: "totalprice", price: step.amount });
      break;
    case "evaluate":
      world.deliver(step.webhooks);
      void twilio.evaluateTriggers().then(() => world.deliver("deliver"));
      break;
    case "deliver-late":
      world.deliverLate();
      break;
    case "pass":
      break;
    case "sweep":
      void world.sweep();
      break;
    case "command":
      void command(world, sid, step);
      break;
    case "fault":
      functions[step.of].plan(step.plan);
      break;
    case "outage":
      outage(world, step.of, step.isOn);
      break;
    case "outside":
      outside(world, sid, step.act);
      break;
    case "deploy":
      world.deploy(step.rules);
      break;
    case "theft":
      void thief.act(sid, step.theft);
      break;
    case "forge":
      forge(world, sid, step);
      break;
    case "unsigned": {
      const { request, webhook } = thief.unsigned(sid);
      void world.post(request, webhook);
    }
  }
}

function outage({ faults, seen }: World, of: Part, isOn: boolean): void {
  if (isOn) faults.outages.add(of);
  else faults.outages.delete(of);
  seen.tell({ what: "outage", of, isOn });
}

function outside({ twilio }: World, sid: string, act: Extract<Step, { do: "outside" }>["act"]): void {
  const { status, suspendedByTwilio } = twilio.known(sid);
  if (status === "closed") return;
  if (act === "suspend-by-twilio") twilio.suspendByTwilio(sid);
  else if (act === "close") twilio.setStatus(sid, "closed");
  else if (!suspendedByTwilio) twilio.setStatus(sid, act === "activate" ? "active" : "suspended");
}

function forge(world: World, sid: string, { forgery, times, everyMs }: Extract<Step, { do: "forge" }>): void {
  for (let nth = 0; nth < times; nth++) {
    world.time.after(nth * everyMs, () => {
      const { request, webhook } = world.thief.forge(sid, forgery);
      void world.post(request, webhook);
    });
  }
}

async function command(world: World, sid: string, step: Extract<Step, { do: "command" }>): Promise<void> {
  const wish = wishOf(world, sid, step);
  if (wish === undefined) return;
  const outcome = await world.ask(wish);
  if (outcome.kind !== "accepted") return;
  const accountSid = wish.kind === "release-brake" ? world.twilio.parentSid : sid;
  const at = world.time.now();
  world.seen.tell({ what: "accepted", command: { id: outcome.command, kind: wish.kind, accountSid, at } });
}

function wishOf(
  { table, count }: World,
  sid: string,
  { command: kind, cleanup, acknowledge, force }: Extract<Step, { do: "command" }>,
): Wished | undefined {
  const nth = count();
  const asked = { reason: `the operator's reason ${nth}`, requestId: `request ${nth}` };
  if (kind === "suspend")
    return { ...asked, kind, accountSid: sid, acknowledge: force ? ["exempt", "observe-mode"] : [] };
  if (kind === "release") return { ...asked, kind: "release-brake", accounts: null };
  const { openIncidentId } = accountIn(table, sid);
  const open = recordsIn(table).find(({ incident }) => incident.id === openIncidentId)?.incident;
  if (open === undefined || isOver(open.state)) return undefined;
  const incidentId = open.id;
  if (kind !== "reactivate") return kind === "check" ? { ...asked, kind, incidentId } : { ...asked, kind, incidentId };
  const chosen = CLEANUPS.filter((_, index) => (cleanup >> index) & 1);
  const left = (open.checklist?.items ?? []).filter(({ id, answer }) => answer !== "done" && !isChosen(chosen, id));
  return {
    ...asked,
    kind,
    incidentId,
    acknowledge: acknowledge ? left.map(({ id }) => id) : [],
    cleanup: chosen,
    countries: [],
  };
}

const CLEANUPS = CLEANUP_IDS.filter((id) => ["live-calls", "api-keys", "triggers", "auth-token"].includes(id));
const isChosen = (chosen: readonly string[], id: string) => chosen.includes(id);
