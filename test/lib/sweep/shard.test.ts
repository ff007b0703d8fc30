import { expect, test } from "vitest";
import { cutIntoShards, readShard, SHARD_SIZE, type SweptAccount } from "../../../lib/sweep/shard.ts";
import fc from "../../support/fast-check.ts";
import { NOW } from "./examples.ts";

const SWEEP = { sweepId: "a-sweep", listedAt: NOW.toISOString(), firstMoment: NOW.toISOString(), isFirst: true };
const account = (number: number): SweptAccount => ({
  accountSid: `AC${number.toString(16).padStart(32, "0")}`,
  status: "active",
  friendlyName: `Account ${number}`,
});

test("every account is in one shard, in order, and no shard is larger than a worker can recall", () => {
  fc.assert(
    fc.property(fc.nat({ max: 400 }), (count) => {
      const accounts = Array.from({ length: count }, (_, index) => account(index));
      const shards = cutIntoShards(SWEEP, accounts);
      expect(shards.flatMap((shard) => shard.accounts)).toEqual(accounts);
      expect(shards.map(({ number }) => number)).toEqual(shards.map((_, index) => index));
      for (const shard of shards) expect(shard.accounts.length).toBeLessThanOrEqual(SHARD_SIZE);
      expect(shards).toHaveLength(Math.ceil(count / SHARD_SIZE));
    }),
  );
});

test("what was written is read", () => {
  const [shard] = cutIntoShards(SWEEP, [account(1), { ...account(2), status: "suspended", friendlyName: "" }]);
  expect(readShard(JSON.stringify(shard))).toEqual(shard);
});

test.each(["", "{}", "[]", JSON.stringify({ ...SWEEP, number: -1, accounts: [] })])("%j is no shard", (body) => {
  expect(() => readShard(body)).toThrow(expect.objectContaining({ code: "sweep-shard-invalid" }));
});
