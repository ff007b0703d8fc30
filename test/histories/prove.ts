import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as z from "zod/mini";
import { described, explore, type Outcome } from "./runner.ts";

/**
 * `npm run prove`: many histories, on all processors. `SEED` gives other ones, `HISTORIES` more or fewer; `SEED` with
 * `PATH_OF` plays the one that failed, and tells what happens in it.
 */
const MINUTE = 60_000;
const WITHIN = 60 * MINUTE;

const Settings = z.object({
  SEED: z._default(z.coerce.number(), () => Date.now() % 1_000_000_000),
  HISTORIES: z._default(z.coerce.number(), 10_000),
  PATH_OF: z.optional(z.string()),
});
const Share = z.object({ seed: z.number(), histories: z.number(), path: z.optional(z.string()) });
type Share = z.infer<typeof Share>;

async function prove(): Promise<void> {
  const { SEED: seed, HISTORIES: histories, PATH_OF: path } = z.parse(Settings, process.env);
  const begunAt = performance.now();
  const outcomes = await Promise.all(sharesOf({ seed, histories, path }).map(inThread));
  const minutes = ((performance.now() - begunAt) / MINUTE).toFixed(1);
  for (const outcome of outcomes) console.log(described(outcome));
  console.log(`${sum(outcomes.map(({ played }) => played))} histories in ${minutes} minutes; in them:`);
  for (const [what, count] of Object.entries(together(outcomes))) console.log(`  ${what}: ${count}`);
  const isWhole = path !== undefined || sum(outcomes.map(({ played }) => played)) >= histories;
  if (!isWhole) console.log(`fewer than the ${histories} that were to be played`);
  if (!isWhole || outcomes.some(({ failure }) => failure !== null)) process.exitCode = 1;
}

/** A seed of its own for each processor; one history is played by one. */
function sharesOf({ seed, histories, path }: Share): Share[] {
  if (path !== undefined) return [{ seed, histories, path }];
  const threads = availableParallelism();
  return Array.from({ length: threads }, (_, n) => ({ seed: seed + n, histories: Math.ceil(histories / threads) }));
}

function inThread(share: Share): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: share });
    thread.once("message", resolve).once("error", reject);
  });
}

function together(outcomes: readonly Outcome[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { happened } of outcomes)
    for (const [what, count] of Object.entries(happened)) all[what] = (all[what] ?? 0) + count;
  return all;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

if (isMainThread) await prove();
else {
  const { path, ...share } = z.parse(Share, workerData);
  const trace = path === undefined ? undefined : (line: string) => console.log(line);
  parentPort?.postMessage(await explore({ ...share, path, trace, within: WITHIN }));
}
