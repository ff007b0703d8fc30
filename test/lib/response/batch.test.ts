import fc from "fast-check";
import { expect, test } from "vitest";
import { handleFifoBatch } from "../../../lib/response/batch.ts";
import { recordWith } from "../../support/sqs-record.ts";

const records = (...names: string[]) =>
  names.map((messageId) => recordWith("{}", { group: messageId[0] ?? "", messageId }));
const failures = (...names: string[]) => ({
  batchItemFailures: names.map((itemIdentifier) => ({ itemIdentifier })),
});

test("an account's messages are handled one after the other, accounts side by side", async () => {
  const log: string[] = [];
  const result = await handleFifoBatch(records("a1", "b1", "a2", "b2"), async ({ messageId }) => {
    log.push(`${messageId} begins`);
    await new Promise((resolve) => setTimeout(resolve, messageId.startsWith("a") ? 20 : 5));
    log.push(`${messageId} ends`);
    return true;
  });
  expect(result).toEqual(failures());
  expect(log.slice(0, 2)).toEqual(["a1 begins", "b1 begins"]);
  expect(log.indexOf("a2 begins")).toBeGreaterThan(log.indexOf("a1 ends"));
  expect(log.indexOf("b2 ends")).toBeLessThan(log.indexOf("a1 ends"));
});

test("after one that failed, the later ones of the same account wait untouched; other accounts go on", async () => {
  const handled: string[] = [];
  const result = await handleFifoBatch(records("a1", "b1", "a2", "a3", "b2"), async ({ messageId }) => {
    handled.push(messageId);
    return messageId !== "a2";
  });
  expect(result).toEqual(failures("a2", "a3"));
  expect(handled.toSorted()).toEqual(["a1", "a2", "b1", "b2"]);
});

test("for any batch: what is left of an account is a tail of its messages, and begins with the first that failed", async () => {
  const message = fc.record({ group: fc.constantFrom("a", "b", "c"), works: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 10 }), async (messages) => {
      const named = messages.map((one, index) => ({ ...one, messageId: `${one.group}${index}` }));
      const works = new Map(named.map((one) => [one.messageId, one.works]));
      const { batchItemFailures } = await handleFifoBatch(
        named.map(({ group, messageId }) => recordWith("{}", { group, messageId })),
        async ({ messageId }) => works.get(messageId) ?? false,
      );
      const left = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const group of ["a", "b", "c"]) {
        const own = named.filter((one) => one.group === group);
        const first = own.findIndex((one) => !one.works);
        const expected = first === -1 ? [] : own.slice(first).map(({ messageId }) => messageId);
        expect(own.map(({ messageId }) => messageId).filter((id) => left.has(id))).toEqual(expected);
      }
    }),
  );
});
