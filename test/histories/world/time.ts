import type { Clock } from "../../../lib/clock.ts";

/** A history's own time: it stands still until everything that can happen has happened, and then jumps to what is next. */
export interface Time {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  after(milliseconds: number, act: () => void): Timer;
  /** Lets everything happen that is due within `milliseconds`, and what comes of it. */
  pass(milliseconds: number): Promise<void>;
  /** Time waits for `work`, which takes none: what reads a stream needs more than one turn of the real event loop. */
  whileWorking<T>(work: Promise<T>): Promise<T>;
  clock: Clock;
}

export interface Timer {
  cancel(): void;
}

interface Due {
  at: number;
  /** What is due at the same time happens in the order in which it was asked for. */
  order: number;
  act: (() => void) | undefined;
}

const realTurn = setImmediate;
const nextTurn = () => new Promise<void>((resolve) => void realTurn(resolve));

/** @param start milliseconds since the epoch */
export function ownTime(start: number): Time {
  let now = start;
  let orders = 0;
  let working = 0;
  const due = new Heap();

  function after(milliseconds: number, act: () => void): Timer {
    const one: Due = { at: now + Math.max(0, milliseconds), order: ++orders, act };
    due.push(one);
    return {
      cancel() {
        one.act = undefined;
      },
    };
  }
  const sleep = (milliseconds: number) => new Promise<void>((resolve) => void after(milliseconds, resolve));

  async function settle(): Promise<void> {
    do await nextTurn();
    while (working > 0);
  }

  async function pass(milliseconds: number): Promise<void> {
    const end = now + milliseconds;
    await settle();
    for (let next = due.first(); next !== undefined && next.at <= end; next = due.first()) {
      due.pop();
      if (next.act === undefined) continue;
      now = next.at;
      next.act();
      await settle();
    }
    now = end;
  }

  async function whileWorking<T>(work: Promise<T>): Promise<T> {
    working += 1;
    try {
      return await work;
    } finally {
      working -= 1;
    }
  }

  const clock: Clock = { now: () => new Date(now), sleep: (milliseconds, signal) => sleepUnless(signal, milliseconds) };
  function sleepUnless(signal: AbortSignal | undefined, milliseconds: number): Promise<void> {
    if (signal === undefined) return sleep(milliseconds);
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = after(milliseconds, resolve);
      const wake = () => {
        timer.cancel();
        resolve();
      };
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  return { now: () => now, sleep, after, pass, whileWorking, clock };
}

/** Binary, the earliest first. */
class Heap {
  readonly #items: Due[] = [];

  first(): Due | undefined {
    return this.#items[0];
  }

  push(one: Due): void {
    const items = this.#items;
    let index = items.push(one) - 1;
    for (;;) {
      const above = (index - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || isBefore(parent, one)) break;
      items[index] = parent;
      index = above;
    }
    items[index] = one;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [one, other] = [items[left], items[left + 1]];
      if (one === undefined) break;
      const isLeft = other === undefined || isBefore(one, other);
      const child = isLeft ? one : other;
      if (isBefore(last, child)) break;
      items[index] = child;
      index = isLeft ? left : left + 1;
    }
    items[index] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
