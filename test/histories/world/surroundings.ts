import type { Time, Timer } from "./time.ts";

/** What a process has around it, for as long as a history lasts: its own time, its own chance, and nobody at any address but these. */
export interface Surroundings {
  /** By origin. */
  hosts: Readonly<Record<string, (url: URL, init: RequestInit) => Promise<Response>>>;
  time: Time;
  /** The same seed, the same chances. */
  seed: number;
}

const real = {
  fetch: globalThis.fetch,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  random: Math.random,
  timeout: AbortSignal.timeout,
};

/** Runs `history` in these surroundings; they are as before when it has ended. One history at a time. */
export async function within<T>({ hosts, time, seed }: Surroundings, history: () => Promise<T>): Promise<T> {
  const timers = new WeakMap<AbortSignal, Timer>();
  const fetch = async (input: string | URL | Request, init: RequestInit = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const host = hosts[url.origin];
    if (host === undefined) throw new TypeError("fetch failed", { cause: new Error(`nobody is at ${url.host}`) });
    const { signal, ...rest } = init;
    try {
      return await untilAborted(signal, host(url, rest));
    } finally {
      if (signal) timers.get(signal)?.cancel();
    }
  };
  const timeout = (milliseconds: number) => {
    const controller = new AbortController();
    const reason = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
    timers.set(
      controller.signal,
      time.after(milliseconds, () => controller.abort(reason())),
    );
    return controller.signal;
  };
  const setTimer = (act: () => void, milliseconds = 0) => time.after(milliseconds, act);
  const clearTimer = (timer: unknown) => {
    if (isTimer(timer)) timer.cancel();
  };
  Object.assign(globalThis, { fetch, setTimeout: setTimer, clearTimeout: clearTimer });
  Object.assign(AbortSignal, { timeout });
  Math.random = chances(seed);
  try {
    return await history();
  } finally {
    Object.assign(globalThis, {
      fetch: real.fetch,
      setTimeout: real.setTimeout,
      clearTimeout: real.clearTimeout,
    });
    Object.assign(AbortSignal, { timeout: real.timeout });
    Math.random = real.random;
  }
}

function untilAborted<T>(signal: AbortSignal | null | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function isTimer(value: unknown): value is Timer {
  return typeof value === "object" && value !== null && "cancel" in value;
}

/** Numbers from 0 up to 1, by xorshift: https://www.jstatsoft.org/article/view/v008i14 */
function chances(seed: number): () => number {
  let state = seed | 0 || 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
