import { performance } from "node:perf_hooks";

/** What is counted by the day or the month goes on for hours. */
export const NOON = new Date("2026-11-21T12:00:00Z");

/**
 * From here on `Date` says in this process that it is `time`, and goes on from there: for tests of real parts, which take
 * the time from the system, and count by the day.
 * @returns puts `Date` back.
 */
export function beginAt(time: Date): () => void {
  const Before = Date;
  const offset = time.getTime() - Before.now();
  const now = () => Before.now() + offset;
  globalThis.Date = new Proxy(Before, {
    construct: (target, parameters, newTarget) =>
      Reflect.construct(target, parameters.length === 0 ? [now()] : parameters, newTarget),
    apply: () => new Before(now()).toString(),
    get: (target, property) => (property === "now" ? now : Reflect.get(target, property)),
  });
  return () => {
    globalThis.Date = Before;
  };
}

/** How far `Date` is from what the system's clock says, in milliseconds. */
export function shiftOfDate(): number {
  return Math.round(Date.now() - performance.timeOrigin - performance.now());
}

/** For the environment of a process that shall have the same `Date` as this one. */
export function sameDate(): { NODE_OPTIONS: string; CLOCK_OFFSET: string } {
  const preload = new URL("./shift-clock.ts", import.meta.url);
  return { NODE_OPTIONS: `--import=${preload}`, CLOCK_OFFSET: String(shiftOfDate()) };
}
