import fc from "fast-check";
import { plots } from "./generator.ts";
import { type Plot, play, type RunOptions } from "./history.ts";
import type { Found } from "./monitors/all.ts";
import type { Seen } from "./world/seen.ts";

/** What came of many histories. */
export interface Outcome {
  /** How many were played, those of shrinking left out. */
  played: number;
  seed: number;
  /** How often what happened in them, to see that they are worth something. */
  happened: Record<string, number>;
  /** The shortest history that was found in which something did not hold; null where all did. */
  failure: Failure | null;
}

interface Failure {
  plot: Plot;
  found: Found[];
  /** Plays the same one again: `SEED=<seed> PATH_OF=<path> npm run prove`. */
  path: string;
}

export interface Exploration extends RunOptions {
  seed: number;
  histories: number;
  /** Milliseconds after which no further history is begun. */
  within: number;
  /** Of one history alone. */
  path?: string | undefined;
  /** Whether the one that failed is made shorter. */
  shrinks?: boolean;
}

/** Plays histories until one fails, and makes that one as short as it can. The same seed plays the same ones. */
export async function explore(exploration: Exploration): Promise<Outcome> {
  const { seed, histories, within, path, shrinks = path === undefined, ...options } = exploration;
  const happened: Record<string, number> = {};
  const watch = (seen: Seen) => {
    const what = nameOf(seen);
    if (what !== undefined) happened[what] = (happened[what] ?? 0) + 1;
  };
  let playing: Promise<unknown> = Promise.resolve();
  const property = fc.asyncProperty(plots(), async (plot) => {
    const history = play(plot, { ...options, watch });
    playing = history.catch(() => undefined);
    const found = await history;
    if (found.length > 0) throw new Error(found.map(textOf).join("\n"));
  });
  const details = await fc.check(property, {
    ...{ seed, numRuns: path === undefined ? histories : 1, endOnFailure: !shrinks },
    ...{ interruptAfterTimeLimit: within, markInterruptAsFailure: false },
    ...(path !== undefined && { path }),
  });
  // Interrupted, it does not wait for the history that is being played; and there can be one at a time.
  await playing;
  const [plot] = details.counterexample ?? [];
  const outcome = { played: details.numRuns, seed, happened };
  if (!details.failed || plot === undefined) return { ...outcome, failure: null };
  const { trace: _, ...again } = options;
  return { ...outcome, failure: { plot, found: await play(plot, again), path: details.counterexamplePath ?? "" } };
}

/** What is worth counting. */
function nameOf(seen: Seen): string | undefined {
  switch (seen.what) {
    case "status-changed":
      return seen.run === undefined ? "accounts changed by others" : `accounts ${seen.to} by us`;
    case "webhook":
      return seen.webhook.by === "twilio" ? "firings of Twilio's" : "webhooks of others";
    case "published":
      return "alerts and notices published";
    case "accepted":
      return "commands accepted";
    case "fault":
      return "faults";
    case "outage":
      return seen.isOn ? "outages" : undefined;
    case "run-ended":
      return seen.how === "killed" ? "functions killed" : "functions run";
    default:
      return undefined;
  }
}

/** For a person: what did not hold, in which history, and how to see it again. */
export function described({ seed, failure, played }: Outcome): string {
  if (failure === null) return `${played} histories of seed ${seed}: everything held`;
  const { plot, found, path } = failure;
  return [
    ...found.map(textOf),
    `in this history, after ${played} others: ${JSON.stringify(plot.setting)}, chance ${plot.seed}`,
    ...plot.steps.map((step, index) => `  ${index + 1} ${JSON.stringify(step)}`),
    `again, and what happens in it: SEED=${seed} PATH_OF=${path} npm run prove`,
  ].join("\n");
}

function textOf({ code, what, step }: Found): string {
  return `${code} at step ${step}: ${what}`;
}
