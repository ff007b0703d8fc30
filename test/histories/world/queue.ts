import type { SQSRecord } from "aws-lambda";
import type { Time } from "./time.ts";

/** A queue as SQS has it, in a history's own time. */
export interface Queue {
  readonly name: string;
  /** @returns false for one that was dropped as a repeat. */
  send(message: Sent): boolean;
  /** Up to ten messages, as Lambda hands them to a function; those that were received too often go to the dead letters. */
  receive(): SQSRecord[];
  remove(receiptHandle: string): void;
  hideFor(receiptHandle: string, milliseconds: number): void;
  /** When something that is hidden becomes visible, milliseconds since the epoch; undefined where nothing is hidden. */
  nextAt(): number | undefined;
  /** All that it holds, visible or not, oldest first. */
  messages(): readonly Waiting[];
  onChange(changed: () => void): void;
}

interface Sent {
  body: string;
  attributes?: Readonly<Record<string, string>> | undefined;
  /** Of a FIFO queue. */
  group?: string | undefined;
  deduplicationId?: string | undefined;
  /** Of an ordinary queue. */
  delayMs?: number | undefined;
}

interface Waiting {
  id: string;
  body: string;
  group: string;
  attributes: Readonly<Record<string, string>>;
  /** How often it was handed out. */
  receives: number;
  /** Milliseconds since the epoch: until then nobody sees it. */
  visibleAt: number;
  sentAt: number;
}

interface Kept extends Waiting {
  /** Undefined until it is handed out, and as soon as it is visible again. */
  receipt: string | undefined;
}

export interface QueueOptions {
  name: string;
  time: Time;
  isFifo: boolean;
  visibilityMs: number;
  /** Where a message goes that was handed out so often. */
  givingUp?: { after: number; to: Queue };
}

const MOST_IN_BATCH = 10;
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html */
const REMEMBERED_MS = 5 * 60_000;
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MOST_BYTES = 1024 * 1024;
const LONGEST_DELAY_MS = 900_000;

export function memoryQueue({ name, time, isFifo, visibilityMs, givingUp }: QueueOptions): Queue {
  let kept: Kept[] = [];
  let made = 0;
  /** When what was sent under a deduplication ID, within its group. */
  const sentAt = new Map<string, number>();
  const watchers: (() => void)[] = [];
  const tell = () => {
    for (const changed of watchers) changed();
  };

  function isRepeat({ group = "", deduplicationId }: Sent): boolean {
    if (!isFifo) return false;
    const key = `${group} ${deduplicationId}`;
    const before = sentAt.get(key);
    if (before !== undefined && time.now() - before < REMEMBERED_MS) return true;
    sentAt.set(key, time.now());
    return false;
  }

  function isInFlight({ receipt, visibleAt }: Kept): boolean {
    return receipt !== undefined && visibleAt > time.now();
  }

  /** Of a FIFO queue all of one group before those of the next; none of a group of which some are being handled. */
  function candidates(): Kept[] {
    const visible = kept.filter(({ visibleAt }) => visibleAt <= time.now());
    if (!isFifo) return visible;
    const locked = new Set(kept.filter(isInFlight).map(({ group }) => group));
    const free = visible.filter(({ group }) => !locked.has(group));
    return [...Map.groupBy(free, ({ group }) => group).values()].flat();
  }

  function giveUp(one: Kept): void {
    kept = kept.filter((other) => other !== one);
    const { body, attributes, group, id } = one;
    givingUp?.to.send({ body, attributes, group, deduplicationId: id });
  }

  function handOut(one: Kept): SQSRecord {
    one.receives += 1;
    one.receipt = `${one.id} ${one.receives}`;
    one.visibleAt = time.now() + visibilityMs;
    return recordOf(name, one, one.receipt);
  }

  const held = (receiptHandle: string) => kept.find(({ receipt }) => receipt === receiptHandle);

  return {
    name,
    send(message) {
      const { body, attributes = {}, group = "", delayMs = 0 } = message;
      if (body.length > MOST_BYTES) throw new Error("One or more parameters are invalid: the message is too long");
      if (delayMs > (isFifo ? 0 : LONGEST_DELAY_MS)) throw new Error(`${delayMs} for DelaySeconds is invalid`);
      if (isRepeat(message)) return false;
      const [id, now] = [`${name} ${++made}`, time.now()];
      const times = { visibleAt: now + delayMs, sentAt: now };
      kept.push({ id, body, attributes, group, receives: 0, receipt: undefined, ...times });
      tell();
      return true;
    },
    receive() {
      const batch: SQSRecord[] = [];
      for (const one of candidates()) {
        if (batch.length === MOST_IN_BATCH) break;
        if (givingUp !== undefined && one.receives >= givingUp.after) giveUp(one);
        else batch.push(handOut(one));
      }
      return batch;
    },
    remove(receiptHandle) {
      const one = held(receiptHandle);
      kept = kept.filter((other) => other !== one);
      tell();
    },
    hideFor(receiptHandle, milliseconds) {
      const one = held(receiptHandle);
      if (one === undefined || !isInFlight(one)) throw new Error("MessageNotInflight");
      one.visibleAt = time.now() + milliseconds;
      tell();
    },
    nextAt() {
      const hidden = kept.filter(({ visibleAt }) => visibleAt > time.now());
      return hidden.length === 0 ? undefined : Math.min(...hidden.map(({ visibleAt }) => visibleAt));
    },
    messages: () => kept,
    onChange: (changed) => void watchers.push(changed),
  };
}

function recordOf(queue: string, { id, body, group, attributes, receives, sentAt }: Kept, receipt: string): SQSRecord {
  const texts = Object.entries(attributes).map(([name, stringValue]) => [name, { dataType: "String", stringValue }]);
  return {
    messageId: id,
    receiptHandle: receipt,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      SenderId: "",
      ApproximateFirstReceiveTimestamp: String(sentAt),
      ...(group !== "" && { MessageGroupId: group }),
    },
    messageAttributes: Object.fromEntries(texts),
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
    awsRegion: "us-east-1",
  };
}
