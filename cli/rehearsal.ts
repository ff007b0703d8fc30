import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod/mini";
import { STATIONS } from "../lib/drills/drill-store.ts";
import type { Drill } from "../lib/webhooks/drill.ts";
import { probeSigned } from "./callback-probe.ts";
import { checked } from "./checked.ts";
import { STOPS, type Stop } from "./drill-stations.ts";
import { EXIT, Failure } from "./failure.ts";
import { readFrom } from "./request.ts";
import type { Server } from "./server.ts";

/** One stop of a rehearsal, as it was passed. */
export interface Passed {
  station: Stop;
  /** ISO 8601 UTC, by the clock of whoever passed it. */
  at: string;
  said: string;
  isGood: boolean;
}

export interface Pace {
  /** Between two readings, in milliseconds. */
  every: number;
  /** From when on nobody waits any longer, in milliseconds. */
  atMost: number;
}

export const DRILL_PACE: Pace = { every: 500, atMost: 60_000 };

export interface Rehearsal {
  drill: Drill;
  server: Server;
  /** Called for each stop when it is passed, and again when it turned out otherwise. */
  watch(passed: Passed): void;
  pace: Pace;
}

const DrillView = z.object({
  stations: z.array(z.object({ station: z.enum(STATIONS), at: z.string(), said: z.string(), isGood: z.boolean() })),
});

/**
 * Sends a rehearsal and follows it, stop by stop, until the last one or until nobody waits any longer.
 * @returns what was passed, in the order of the stops.
 * @throws Failure when the operator API refuses to be read.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<Passed[]> {
  const answered = await sendDrill(rehearsal.drill);
  rehearsal.watch(answered);
  return answered.isGood ? [answered, ...(await followStations(rehearsal))] : [answered];
}

async function sendDrill(drill: Drill): Promise<Passed> {
  const probe = await probeSigned(drill);
  const said = probe.kind === "right" ? probe.seen : `${probe.seen}: ${probe.fix}`;
  return { station: "webhook-answered", at: new Date().toISOString(), said, isGood: probe.kind === "right" };
}

async function followStations({ drill, server, watch, pace }: Rehearsal): Promise<Passed[]> {
  const until = Date.now() + pace.atMost;
  const seen = new Map<Stop, Passed>();
  for (;;) {
    for (const passed of await readPatiently(server, drill.drillId)) {
      // One that failed is tried again, and may turn out well.
      if (seen.get(passed.station)?.isGood !== passed.isGood) watch(passed);
      seen.set(passed.station, passed);
    }
    const isOver = STATIONS.every((station) => seen.has(station)) || Date.now() >= until;
    if (isOver) return STATIONS.flatMap((station) => seen.get(station) ?? []);
    await sleep(pace.every);
  }
}

/** Nothing, while the server has a bad moment. */
async function readPatiently(server: Server, drillId: string): Promise<Passed[]> {
  try {
    return checked(DrillView, await readFrom(server, `/api/drills/${drillId}`), server).stations;
  } catch (thrown) {
    if (thrown instanceof Failure && PASSING.has(thrown.exit) && thrown.code !== "answer-not-understood") return [];
    throw thrown;
  }
}

const PASSING: ReadonlySet<number> = new Set([EXIT.unreachable, EXIT.failed]);

/** The first stop that was not passed well; undefined when all were. */
export function firstBad(passed: readonly Passed[]): Stop | undefined {
  return STOPS.find((stop) => passed.find(({ station }) => station === stop)?.isGood !== true);
}
