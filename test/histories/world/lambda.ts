import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Policy } from "../../../lib/policy/policy.ts";
import type { Faults, PlannedFault, Run } from "./faults.ts";
import type { Queue } from "./queue.ts";
import type { Time, Timer } from "./time.ts";

/** A Lambda function: as many containers as runs go on side by side; a warm one remembers what it has learnt. */
export interface Lambda<C> {
  /** @returns undefined where the run was killed, or threw. */
  invoke<T>(
    work: (container: C, remaining: () => number) => Promise<T>,
    bodies?: readonly string[],
  ): Promise<T | undefined>;
  /** The next run suffers this. */
  plan(faults: readonly PlannedFault[]): void;
  /** Plans that no run has taken yet are forgotten. */
  forgetPlans(): void;
  /** What is deployed from now on; what runs goes on as it is. */
  redeploy(): void;
}

export interface LambdaOptions<C> {
  name: string;
  time: Time;
  faults: Faults;
  timeoutMs: number;
  coldStart: () => C;
  /** What the container was deployed with, for those who judge its runs. */
  deployed: () => Policy;
  onEnd?: (run: Run, how: "returned" | "threw" | "killed") => void;
}

interface Container<C> {
  parts: C;
  deployed: Policy;
  generation: number;
}

export function lambda<C>(options: LambdaOptions<C>): Lambda<C> {
  const { name, time, faults, timeoutMs, coldStart, deployed, onEnd } = options;
  const warm: Container<C>[] = [];
  const plans: (readonly PlannedFault[])[] = [];
  let generation = 0;

  const started = (): Container<C> => ({ parts: coldStart(), deployed: deployed(), generation });

  async function invoke<T>(
    work: (container: C, remaining: () => number) => Promise<T>,
    bodies: readonly string[] = [],
  ) {
    const container = warm.pop() ?? started();
    const { run, died } = begin(container, bodies);
    const end = time.now() + timeoutMs;
    const timer = time.after(timeoutMs, run.kill);
    const result = await outcome(run, () => work(container.parts, () => end - time.now()), died);
    timer.cancel();
    if (result.how !== "killed" && container.generation === generation) warm.push(container);
    onEnd?.(run, result.how);
    return result.value;
  }

  function begin(container: Container<C>, bodies: readonly string[]) {
    let kill = () => {};
    const died = new Promise<"killed">((resolve) => {
      kill = () => resolve("killed");
    });
    const run: Run = {
      name,
      isAlive: true,
      faults: [],
      metOutage: new Set(),
      requests: 0,
      sentTo: new Set(),
      plan: plans.shift() ?? [],
      bodies,
      deployed: container.deployed,
      kill() {
        run.isAlive = false;
        kill();
      },
    };
    return { run, died };
  }

  async function outcome<T>(run: Run, work: () => Promise<T>, died: Promise<"killed">) {
    try {
      const value = await Promise.race([faults.inRun(run, work), died.then(() => undefined)]);
      return { how: run.isAlive ? ("returned" as const) : ("killed" as const), value: run.isAlive ? value : undefined };
    } catch {
      return { how: "threw" as const, value: undefined };
    }
  }

  return {
    invoke,
    plan: (next) => void plans.push(next),
    forgetPlans: () => void plans.splice(0),
    redeploy() {
      generation += 1;
      warm.splice(0);
    },
  };
}

export interface EventSource<C> {
  queue: Queue;
  time: Time;
  function: Lambda<C>;
  /** So many runs at once. */
  atOnce: number;
  handle: (container: C, event: SQSEvent, remaining: () => number) => Promise<SQSBatchResponse>;
}

/** From a message that is there to the function that is given it. */
const POLL_MS = 15;

/** What stands between a queue and a function: hands messages out as soon as there are any, and removes what was handled. */
export function poll<C>({ queue, time, function: fn, atOnce, handle }: EventSource<C>): void {
  let running = 0;
  let wake: Timer | undefined;

  function look(): void {
    wake?.cancel();
    while (running < atOnce) {
      const Records = queue.receive();
      if (Records.length === 0) break;
      running += 1;
      void run({ Records }).finally(() => {
        running -= 1;
        lookSoon();
      });
    }
    const next = queue.nextAt();
    if (next !== undefined && running < atOnce) wake = time.after(next - time.now(), look);
  }

  let isLooking = false;
  function lookSoon(): void {
    if (isLooking) return;
    isLooking = true;
    time.after(POLL_MS, () => {
      isLooking = false;
      look();
    });
  }

  async function run(event: SQSEvent): Promise<void> {
    const bodies = event.Records.map(({ body }) => body);
    const answer = await fn.invoke((container, remaining) => handle(container, event, remaining), bodies);
    // A run that was killed, or threw, has handled nothing: its messages come back when they are visible again.
    if (answer === undefined) return;
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { messageId, receiptHandle } of event.Records) if (!failed.has(messageId)) queue.remove(receiptHandle);
  }

  queue.onChange(lookSoon);
}
