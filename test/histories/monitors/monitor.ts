import type { Seen } from "../world/seen.ts";
import type { World } from "../world/world.ts";

/** Watches one thing that must hold, whatever happens. */
export interface Monitor {
  /** Called for each thing that happens. */
  watch?(seen: Seen): void;
  /** Called once everything is in order again, and has been for a while. */
  atTheEnd?(): void;
}

/** @param violated is told what did not hold: a short stable name, and what it was about */
export type MakeMonitor = (world: World, violated: Violated) => Monitor;
type Violated = (code: string, what: string) => void;
