import { HOUR } from "./hours.ts";
import type { SpendSample } from "./sample.ts";

/** As they come for the hour that is judged; of each hour before, one is enough. */
const FINE = 2 * HOUR;

/**
 * What of `samples` is worth keeping for `judgeSpend`, in the order of time: a week takes about 200. Of each hour it is
 * the last one, and the last before a period ends, because what was spent after it is lost. This hour's amount stays
 * exact; what is usual may differ by a tenth, because the hours that are judged do not begin on the hour.
 *
 * @param keep milliseconds: the longest `over` of the policy, and at least three hours
 */
export function thinSamples(
  samples: readonly SpendSample[],
  { now, keep }: { now: Date; keep: number },
): SpendSample[] {
  const since = now.getTime() - Math.max(keep, FINE) - HOUR;
  const kept = new Map<string, SpendSample>();
  const inOrder = samples
    .map((sample) => ({ sample, at: Date.parse(sample.at) }))
    .sort((one, other) => one.at - other.at);
  for (const { sample, at } of inOrder) {
    if (at < since) continue;
    const isFine = at >= now.getTime() - FINE;
    kept.set(isFine ? sample.at : `${Math.floor(at / HOUR)} ${sample.since}`, sample);
  }
  return [...kept.values()];
}
