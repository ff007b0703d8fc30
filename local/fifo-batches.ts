import { TollbreakerError } from "../lib/errors.ts";

/**
 * SQS hands out up to ten messages of one group of a FIFO queue in one batch, counts a receive for each, and keeps the others
 * of that group back until all of them are deleted or visible again. The emulator hands out one at a time; what is behind a
 * message that fails, or what a long batch costs, could not be seen with that.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */

/** What of the emulator's queue is used here. */
interface Queue {
  /** How many messages of each group are handed out. */
  fifoLockedGroups: Map<string, number>;
  /** What waits, by group, in order. */
  fifoMessages: Map<string, { sequenceNumber?: string }[]>;
  dequeueFifo(most: number, visibilitySeconds?: number, deadLetters?: unknown): unknown[];
  processTimers(): void;
  changeVisibility(receiptHandle: string, seconds: number): void;
}

/** Changes the emulator in this process, for all of its queues; once is enough. */
export async function handOutFifoBatches(): Promise<void> {
  const { SqsQueue } = await import(new URL("./sqs/sqsStore.js", import.meta.resolve("fauxqs")).href);
  const queue: Queue | undefined = SqsQueue?.prototype;
  if (queue === undefined || !isAsExpected(queue)) throw changed();
  if (patched.has(queue)) return;
  patched.add(queue);
  patchDequeue(queue);
  keepOrder(queue, "processTimers");
  keepOrder(queue, "changeVisibility");
}

const patched = new WeakSet<Queue>();

function isAsExpected(queue: Queue): boolean {
  return [queue.dequeueFifo, queue.processTimers, queue.changeVisibility].every((one) => typeof one === "function");
}

/** One after the other, with those groups open that this very batch has locked: as many of one group as there are. */
function patchDequeue(queue: Queue): void {
  const one = queue.dequeueFifo;
  queue.dequeueFifo = function (most, visibilitySeconds, deadLetters) {
    const batch: unknown[] = [];
    const before = new Map(this.fifoLockedGroups);
    for (;;) {
      const counts = new Map(this.fifoLockedGroups);
      for (const group of counts.keys()) if (!before.has(group)) this.fifoLockedGroups.delete(group);
      const more = one.call(this, 1, visibilitySeconds, deadLetters);
      for (const [group, count] of counts) {
        if (!before.has(group)) this.fifoLockedGroups.set(group, count + (this.fifoLockedGroups.get(group) ?? 0));
      }
      batch.push(...more);
      if (more.length === 0 || batch.length >= most) return batch;
    }
  };
}

/** What comes back takes its place again: the emulator puts the last one first. */
function keepOrder(queue: Queue, name: "processTimers" | "changeVisibility"): void {
  const original: (this: Queue, ...parameters: never[]) => void = queue[name];
  const ordered = function (this: Queue, ...parameters: never[]): void {
    original.apply(this, parameters);
    for (const messages of this.fifoMessages.values()) messages.sort(bySequence);
  };
  Object.assign(queue, { [name]: ordered });
}

function bySequence(a: { sequenceNumber?: string }, b: { sequenceNumber?: string }): number {
  return (a.sequenceNumber ?? "") < (b.sequenceNumber ?? "") ? -1 : 1;
}

function changed(): TollbreakerError {
  return new TollbreakerError("emulator-changed", "The SQS emulator is not as local/fifo-batches.ts knows it.", {
    expected: "fauxqs with a class SqsQueue that has dequeueFifo, processTimers and changeVisibility",
    fix: "take the version of fauxqs that package-lock.json names, or mend local/fifo-batches.ts",
  });
}
