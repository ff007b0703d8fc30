import { setTimeout as sleep } from "node:timers/promises";

const TICK_MS = 50;

/**
 * What `work` comes to, which must be within `milliseconds` as this process lives them: a pause that is long only because
 * the processor was busy elsewhere counts no more than a short one.
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const ended = work.then(
    () => true,
    () => true,
  );
  for (let lived = 0; lived < milliseconds; lived += TICK_MS) {
    if (await Promise.race([ended, sleep(TICK_MS, false)])) return work;
  }
  throw new Error(`this took longer than ${milliseconds} ms`);
}
