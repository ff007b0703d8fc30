import { TollbreakerError } from "../lib/errors.ts";

/**
 * fauxqs hands out one message of a group at a time; SQS hands out up to ten, in order, and locks the group until all of
 * them are deleted or visible again:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 * It also turns the order of messages around that become visible again together, and loses what is made visible at once
 * while it keeps its queues on disk. All three are mended here, in its own class.
 */
export async function handOutFifoBatches(): Promise<void> {
  mend(await loadQueueClass());
}

/** @throws TollbreakerError `emulator-changed` when `queueClass` is not as we know it: it would need another mending. */
export function mend(queueClass: unknown): void {
  assertInside(queueClass);
  if (isMended in queueClass.prototype) return;
  const { dequeueFifo, processTimers, changeVisibility } = queueClass.prototype;
  Object.assign(queueClass.prototype, {
    [isMended]: true,
    processTimers(this: FifoQueue) {
      processTimers.call(this);
      restoreOrder(this);
    },
    changeVisibility(this: FifoQueue, receiptHandle: string, seconds: number) {
      // Visible at once is hidden until a second ago.
      changeVisibility.call(this, receiptHandle, seconds > 0 ? seconds : -1);
      if (seconds === 0) this.processTimers();
    },
    dequeueFifo(this: FifoQueue, most: number, visibilitySeconds: number | undefined, deadLetters: unknown) {
      const takeOne = () => dequeueFifo.call(this, 1, visibilitySeconds, deadLetters)[0];
      // What a receive does not hide would be handed out again and again within one batch.
      const hides = (visibilitySeconds ?? Number(this.attributes["VisibilityTimeout"])) > 0;
      return takeBatch(this, hides ? Math.min(most, MOST_IN_BATCH) : 1, takeOne);
    },
  });
}

const MOST_IN_BATCH = 10;
/** One in a process, however often this module is loaded: fauxqs itself is loaded once. */
const isMended = Symbol.for("tollbreaker: fauxqs hands out batches");

/** What we need of the inside of fauxqs; `assertInside` checks that it is there. */
interface FifoQueue {
  attributes: Record<string, string>;
  /** What waits, by group. */
  fifoMessages: Map<string, Message[]>;
  /** How many messages of a group are being handled. */
  fifoLockedGroups: Map<string, number>;
  inflightMessages: Map<string, { message: Message }>;
  processTimers(): void;
  changeVisibility(receiptHandle: string, seconds: number): void;
  dequeueFifo(most: number, visibilitySeconds: number | undefined, deadLetters: unknown): Received[];
}
interface Message {
  messageGroupId: string;
  /** Digits, all of the same length. */
  sequenceNumber: string;
}
interface Received {
  ReceiptHandle: string;
}
type QueueClass = { prototype: FifoQueue };

/** As many of one group as there are, then those of the next one. */
function takeBatch(queue: FifoQueue, most: number, takeOne: () => Received | undefined): Received[] {
  const taken = new Map<string, number>();
  const batch: Received[] = [];
  while (batch.length < most) {
    const received = takeOne();
    if (received === undefined) break;
    batch.push(received);
    const group = groupOf(queue, received);
    taken.set(group, (taken.get(group) ?? 0) + 1);
    // Not locked yet, so that the next one is taken from it too.
    queue.fifoLockedGroups.delete(group);
  }
  for (const [group, count] of taken) queue.fifoLockedGroups.set(group, count);
  return batch;
}

function groupOf({ inflightMessages }: FifoQueue, { ReceiptHandle }: Received): string {
  const inflight = inflightMessages.get(ReceiptHandle);
  if (inflight === undefined) throw insideChanged("a message that was handed out is not in flight");
  return inflight.message.messageGroupId;
}

function restoreOrder({ fifoMessages }: FifoQueue): void {
  for (const messages of fifoMessages.values()) messages.sort(bySequence);
}

function bySequence(one: Message, other: Message): number {
  return one.sequenceNumber < other.sequenceNumber ? -1 : 1;
}

/** The class that the running fauxqs makes its queues of: the package does not export it. */
async function loadQueueClass(): Promise<unknown> {
  const loaded: unknown = await import(new URL("./sqs/sqsStore.js", import.meta.resolve("fauxqs")).href);
  return isObject(loaded) ? loaded["SqsQueue"] : undefined;
}

function assertInside(queueClass: unknown): asserts queueClass is QueueClass {
  if (typeof queueClass !== "function") throw insideChanged("there is no class SqsQueue");
  const example: unknown = Reflect.construct(queueClass, ["a.fifo", "", "", { FifoQueue: "true" }]);
  if (!isObject(example)) throw insideChanged("SqsQueue is no class");
  for (const method of ["dequeueFifo", "processTimers", "changeVisibility"]) {
    if (typeof example[method] !== "function") throw insideChanged(`SqsQueue has no method ${method}`);
  }
  for (const map of ["fifoMessages", "fifoLockedGroups", "inflightMessages"]) {
    if (!(example[map] instanceof Map)) throw insideChanged(`SqsQueue has no map ${map}`);
  }
  if (!isObject(example["attributes"])) throw insideChanged("SqsQueue has no attributes");
}

function insideChanged(what: string): TollbreakerError {
  return new TollbreakerError("emulator-changed", "The SQS emulator is not as local/fifo-batches.ts knows it.", {
    expected: "fauxqs with a class SqsQueue as that file describes it",
    got: what,
    fix: "take the version of fauxqs that package-lock.json names, or mend local/fifo-batches.ts",
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
