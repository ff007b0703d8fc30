import type { Exchange } from "./proxy.ts";

/** A stretch of time, in milliseconds on the clock of `monotonicMs`. */
export interface Span {
  begun: number;
  ended: number;
}

/** How much of `span` no exchange was under way: what is left is our own work. */
export function ownMs(span: Span, exchanges: readonly Span[]): number {
  const waited = merged(
    exchanges.map((exchange) => within(span, exchange)).filter(({ begun, ended }) => begun < ended),
  );
  return lengthOf(span) - waited.reduce((sum, each) => sum + lengthOf(each), 0);
}

/**
 * How many round trips to one service were waited for, one after the other: those of a service that takes `delayMs`
 * longer hold up the whole by that much each, while those beside the way to the end cost nothing. So this tells what
 * a count of requests can't: which of them had to come first.
 */
export function roundTripsInSequence(usualMs: number, delayedMs: number, delayMs: number): number {
  return Math.round((delayedMs - usualMs) / delayMs);
}

export function begunBetween({ begun, ended }: Span, exchanges: readonly Exchange[]): Exchange[] {
  return exchanges.filter((exchange) => exchange.begun >= begun && exchange.begun < ended);
}

export function lengthOf({ begun, ended }: Span): number {
  return ended - begun;
}

function within(outer: Span, { begun, ended }: Span): Span {
  return { begun: Math.max(begun, outer.begun), ended: Math.min(ended, outer.ended) };
}

/** Spans that overlap become one: time that two requests share is waited for once. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((one, other) => one.begun - other.begun)) {
    const last = result.at(-1);
    if (last === undefined || span.begun > last.ended) result.push({ ...span });
    else last.ended = Math.max(last.ended, span.ended);
  }
  return result;
}
