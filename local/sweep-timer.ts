/** What stands in for the schedule that begins a sweep on AWS. */
export interface SweepTimer {
  /** Resolves when the sweep that is being begun has begun. */
  stop(): Promise<void>;
}

export interface SweepTimerOptions {
  /** `handler` of handlers/sweep.ts. */
  handler(event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<unknown>;
  /** Between the beginning of one sweep and of the next; the first begins at once. */
  seconds: number;
  /** The function's time-out in serverless.yml, in milliseconds. */
  timeoutMs: number;
}

/** Longer than any run of it takes; `setTimeout` itself ends at 24.8 days. */
const MOST_SECONDS = 24 * 3600;

export function startSweepTimer({ handler, seconds, timeoutMs }: SweepTimerOptions): SweepTimer {
  let beginning: Promise<unknown> = Promise.resolve();
  const begin = () => {
    const deadline = Date.now() + timeoutMs;
    // One that fails has said so in the log; the next one is another try, as on AWS.
    beginning = handler({}, { getRemainingTimeInMillis: () => deadline - Date.now() }).catch(() => undefined);
  };
  begin();
  const timer = setInterval(begin, Math.min(seconds, MOST_SECONDS) * 1000);
  return {
    async stop() {
      clearInterval(timer);
      await beginning;
    },
  };
}
