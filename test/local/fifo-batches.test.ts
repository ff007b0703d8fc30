import { expect, test } from "vitest";
import { mend } from "../../local/fifo-batches.ts";

// What it does is tested through the queues' own API, in aws.test.ts. Here: that another fauxqs is noticed.

class Known {
  attributes = {};
  fifoMessages = new Map();
  fifoLockedGroups = new Map();
  inflightMessages = new Map();
  dequeueFifo() {}
  processTimers() {}
  changeVisibility() {}
}

const changed = (what: object) =>
  class extends Known {
    constructor() {
      super();
      Object.assign(this, what);
    }
  };

test.each<[string, unknown]>([
  ["there is no class SqsQueue", undefined],
  ["SqsQueue has no method dequeueFifo", changed({ dequeueFifo: undefined })],
  ["SqsQueue has no map fifoLockedGroups", changed({ fifoLockedGroups: {} })],
  ["SqsQueue has no attributes", changed({ attributes: undefined })],
])("a fauxqs that has changed inside is refused: %s", (what, queueClass) => {
  expect(() => mend(queueClass)).toThrow(`fauxqs has changed inside (${what})`);
});

test("one that is as we know it is mended once", () => {
  class Same extends Known {}
  mend(Same);
  const { dequeueFifo } = Same.prototype;
  expect(dequeueFifo).not.toBe(Known.prototype.dequeueFifo);
  mend(Same);
  expect(Same.prototype.dequeueFifo).toBe(dequeueFifo);
});
