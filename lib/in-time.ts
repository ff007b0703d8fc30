/** What came of some work within a time; it may still come to something afterwards. */
export type InTime<T> = { kind: "in-time"; value: T } | { kind: "late" };

/** Rejects as `work` does within `milliseconds`; what happens to it later, nobody hears of. */
export async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<InTime<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<InTime<T>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: "late" }), Math.max(0, milliseconds));
  });
  // A rejection that comes late must not end the process.
  work.catch(() => undefined);
  try {
    return await Promise.race([work.then((value) => ({ kind: "in-time" as const, value })), late]);
  } finally {
    clearTimeout(timer);
  }
}
