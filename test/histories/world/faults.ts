import { AsyncLocalStorage } from "node:async_hooks";
import type { Policy } from "../../../lib/policy/policy.ts";
import type { Time } from "./time.ts";

/** What our functions talk to. */
export type Part = "store" | "inbox" | "follow-up" | "sweep-queue" | "sns" | "twilio";

export const FAULT_KINDS = [
  /** The function dies before the request, or right after it was carried out. */
  "kill-before",
  "kill-after",
  /** There is an error instead of an answer; the request was carried out or not. */
  "fail-before",
  "fail-after",
  /** Of Twilio: no answer in time, and the request is carried out later. */
  "late",
  /** Of Twilio: answers that say nothing about the account. */
  "too-many-requests",
  "server-error",
  "page",
  "unauthorized",
  /** Whoever has an account's token uses the moment. */
  "theft",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** The `at`th request of a function's run, from 1. */
export interface PlannedFault {
  at: number;
  kind: FaultKind;
}

/** One run of a function. */
export interface Run {
  /** Which function it is. */
  name: string;
  /** A killed one does nothing any more, and hears of nothing. */
  isAlive: boolean;
  /** What hit it so far. */
  faults: (PlannedFault & { part: Part })[];
  /** Whether something that it asked was out. */
  metOutage: Set<Part>;
  requests: number;
  /** The queues that took a message of its. */
  sentTo: Set<string>;
  plan: readonly PlannedFault[];
  /** The messages that it was given. */
  bodies: readonly string[];
  /** What its container was deployed with. */
  deployed: Policy;
  kill(): void;
}

/** Everything that our functions ask for goes through here: it takes time, and may go wrong. */
export interface Faults {
  /** The run that asks; undefined for the world itself. */
  running(): Run | undefined;
  /** @returns what `work` returns; never settles once the run is killed. */
  inRun<T>(run: Run, work: () => Promise<T>): Promise<T>;
  /** `work` is nobody's run: it happens outside our functions. */
  outside<T>(work: () => Promise<T>): Promise<T>;
  /** Carries `effect` out after the time that it takes, unless something is planned for it. @throws Fault */
  pass<T>(part: Part, effect: () => T | Promise<T>): Promise<T>;
  outages: Set<Part>;
  /** Called for each fault, when it happens. */
  onFault(watch: (fault: PlannedFault & { part: Part; run: Run }) => void): void;
  onTheft(steal: () => Promise<void>): void;
  /** What was put off by `late`, soonest first. */
  flush(): Promise<void>;
}

/** What comes instead of an answer. */
export class Fault extends Error {
  readonly kind: FaultKind | "outage";

  constructor(kind: FaultKind | "outage") {
    super(kind);
    this.kind = kind;
  }
}

/** Milliseconds. The slow ones are Twilio's. */
const USUAL: Record<Part, number> = {
  store: 5,
  inbox: 8,
  "follow-up": 8,
  "sweep-queue": 8,
  sns: 20,
  twilio: 80,
};
const TWILIO_SLOWER_BY_MS = 70;
/** How long our own parts' clients try before they give up, with their own retries. */
const GIVES_UP_AFTER_MS = 300;
const LATE_BY_MS = 20_000;

export function faultsIn(time: Time): Faults {
  const runs = new AsyncLocalStorage<Run>();
  const outages = new Set<Part>();
  const watchers: ((fault: PlannedFault & { part: Part; run: Run }) => void)[] = [];
  const late = new Set<() => Promise<unknown>>();
  let steal = async () => {};

  /** A run that is dead by now waits for ever. */
  async function taking(milliseconds: number, run: Run | undefined): Promise<void> {
    await time.sleep(milliseconds);
    if (run !== undefined && !run.isAlive) await forever();
  }

  async function pass<T>(part: Part, effect: () => T | Promise<T>): Promise<T> {
    const run = runs.getStore();
    if (run !== undefined && !run.isAlive) return forever();
    await taking(usual(part), run);
    if (outages.has(part)) {
      run?.metOutage.add(part);
      await taking(GIVES_UP_AFTER_MS, run);
      throw new Fault("outage");
    }
    const planned = run === undefined ? undefined : next(run);
    if (run === undefined || planned === undefined) return effect();
    run.faults.push({ ...planned, part });
    for (const watch of watchers) watch({ ...planned, part, run });
    return suffer(run, part, planned.kind, effect);
  }

  function next(run: Run): PlannedFault | undefined {
    run.requests += 1;
    return run.plan.find(({ at }) => at === run.requests);
  }

  async function suffer<T>(run: Run, part: Part, kind: FaultKind, effect: () => T | Promise<T>): Promise<T> {
    switch (kind) {
      case "kill-before":
        run.kill();
        return forever();
      case "kill-after":
        await effect();
        run.kill();
        return forever();
      case "fail-after":
        await effect();
        return failing(run, kind);
      case "theft":
        return withTheft(effect);
      case "fail-before":
        return failing(run, kind);
      case "late":
        if (part !== "twilio") return failing(run, kind);
        putOff(effect);
        return forever();
      case "too-many-requests":
      case "server-error":
      case "page":
      case "unauthorized":
        if (part !== "twilio") return failing(run, kind);
        throw new Fault(kind);
    }
  }

  async function failing(run: Run, kind: FaultKind): Promise<never> {
    await taking(GIVES_UP_AFTER_MS, run);
    throw new Fault(kind);
  }

  async function withTheft<T>(effect: () => T | Promise<T>): Promise<T> {
    const result = await effect();
    await runs.exit(steal);
    return result;
  }

  function putOff(effect: () => unknown): void {
    const apply = async () => {
      if (late.delete(apply)) await effect();
    };
    late.add(apply);
    time.after(Math.random() * LATE_BY_MS, () => void apply());
  }

  return {
    running: () => runs.getStore(),
    inRun: (run, work) => runs.run(run, work),
    outside: (work) => runs.exit(work),
    pass,
    outages,
    onFault: (watch) => void watchers.push(watch),
    onTheft(next) {
      steal = next;
    },
    async flush() {
      for (const apply of late) await apply();
    },
  };
}

function usual(part: Part): number {
  return part === "twilio" ? USUAL.twilio + Math.floor(Math.random() * TWILIO_SLOWER_BY_MS) : USUAL[part];
}

export function forever(): Promise<never> {
  return new Promise(() => {});
}
