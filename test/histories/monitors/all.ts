import type { World } from "../world/world.ts";
import { agreement } from "./agreement.ts";
import { answered } from "./answered.ts";
import { brake } from "./brake.ts";
import { finished } from "./finished.ts";
import { guards } from "./guards.ts";
import { lost } from "./lost.ts";
import type { MakeMonitor, Monitor } from "./monitor.ts";
import { never } from "./never.ts";
import { oldNews } from "./old-news.ts";
import { oneStory } from "./one-story.ts";
import { queueDepth } from "./queue-depth.ts";
import { secrets } from "./secrets.ts";
import { stopLatency } from "./stop-latency.ts";
import { told } from "./told.ts";
import { unsigned } from "./unsigned.ts";

/** What did not hold. */
export interface Found {
  code: string;
  what: string;
  /** At which step of the history; one more than it has for what shows in the end. */
  step: number;
}

export interface MonitorOptions {
  /** What else does not hold is looked past. */
  only?: string;
}

const ALL: readonly MakeMonitor[] = [
  unsigned,
  lost,
  stopLatency,
  queueDepth,
  never,
  brake,
  guards,
  oneStory,
  agreement,
  told,
  answered,
  oldNews,
  finished,
  secrets,
];

export interface Monitors {
  step: number;
  found: Found[];
  atTheEnd(): void;
}

/** Beyond these, a history says nothing new. */
const MOST_FOUND = 20;

export function monitorsOf(world: World, { only }: MonitorOptions): Monitors {
  const found: Found[] = [];
  const all: Monitor[] = ALL.map((make) => make(world, violated));
  const monitors: Monitors = {
    step: 0,
    found,
    atTheEnd() {
      for (const one of all) one.atTheEnd?.();
    },
  };
  function violated(code: string, what: string): void {
    if (found.length < MOST_FOUND && code === (only ?? code)) found.push({ code, what, step: monitors.step });
  }
  world.seen.watch((seen) => {
    for (const one of all) one.watch?.(seen);
  });
  return monitors;
}
