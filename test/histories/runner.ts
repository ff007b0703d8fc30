import fc from "fast-check";
import { plots } from "./generator.ts";
import { play, type Plot, type RunOptions } from "./history.ts";
import type { Found } from "./monitors/all.ts";

/** What came of many histories. */
export interface Outcome {
  /** How many were played, those of shrinking left out. */
  played: number;
  seed: number;
  /** The shortest history that was found in which something did not hold; null where all did. */
  failure: Failure | null;
}

export interface Failure {
  plot: Plot;
  found: Found[];
  /** Plays the same one again: `SEED=<seed> PATH_OF=<path> npm run prove`. */
  path: string;
}

export interface Exploration extends RunOptions {
  seed: number;
  histories: number;
  /** Milliseconds after which no further history is begun. */
  within?: number;
  /** Of one history alone. */
  path?: string | undefined;
  /** How many shorter ones are tried; as many as it takes when left out. */
  shrinks?: boolean;
}

/** Plays histories until one fails, and makes that one as short as it can. The same seed plays the same ones. */
export async function explore(exploration: Exploration): Promise<Outcome> {
  const { seed, histories, within, path, shrinks = true, ...options } = exploration;
  let playing: Promise<unknown> = Promise.resolve();
  const property = fc.asyncProperty(plots(), async (plot) => {
    const history = play(plot, options);
    playing = history.catch(() => undefined);
    const found = await history;
    if (found.length > 0) throw new Error(found.map(({ code, what, step }) => `${code} (step ${step}): ${what}`).join("\n"));
  });
  const details = await fc.check(property, {
    ...{ seed, numRuns: histories, endOnFailure: !shrinks },
    ...(within !== undefined && { interruptAfterTimeLimit: within, markInterruptAsFailure: false }),
    ...(path !== undefined && { path }),
  });
  // Interrupted, it does not wait for the history that is being played; and there can be one at a time.
  await playing;
  const [plot] = details.counterexample ?? [];
  if (!details.failed || plot === undefined) return { played: details.numRuns, seed, failure: null };
  const found = await play(plot, options);
  return { played: details.numRuns, seed, failure: { plot, found, path: details.counterexamplePath ?? "" } };
}

/** For a person: what did not hold, in which history, and how to see it again. */
export function described({ seed, failure, played }: Outcome): string {
  if (failure === null) return `${played} histories of seed ${seed}: everything held`;
  const { plot, found, path } = failure;
  return [
    ...found.map(({ code, what, step }) => `${code} at step ${step}: ${what}`),
    `in this history, after ${played} others: ${JSON.stringify(plot.setting)}, chance ${plot.seed}`,
    ...plot.steps.map((step, index) => `  ${index + 1} ${JSON.stringify(step)}`),
    `again: SEED=${seed} PATH_OF=${path} npm run prove`,
  ].join("\n");
}
