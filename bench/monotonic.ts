/** Milliseconds on a clock that all processes of this machine share, for spans that begin in one and end in another. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
