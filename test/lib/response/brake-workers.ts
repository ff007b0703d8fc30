import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  GetCommand,
  PutCommand,
  paginateScan,
} from "@aws-sdk/lib-dynamodb";
import { type Clock, systemClock } from "../../../lib/clock.ts";
import type { Inbox } from "../../../lib/inbox/inbox.ts";
import type { Message } from "../../../lib/inbox/messages.ts";
import { type BrakeStore, brakeOf, brakeStore, type VersionedBrake } from "../../../lib/incidents/brake-store.ts";
import { brakeKey, waitingKey } from "../../../lib/incidents/keys.ts";
import { jsonLog } from "../../../lib/log.ts";
import { NO_BRAKE_STATE, type Waiting } from "../../../lib/policy/brake.ts";
import { type BrakeKeeper, type BrakeKeeperOptions, brakeKeeper } from "../../../lib/response/keep-brake.ts";
import { type EmptyTable, emptyTable } from "../../support/empty-table.ts";

export const BRAKE = { suspensions: 5, within: 600_000 };
/** As the first reading of a fresh table. */
export const NOTHING: VersionedBrake = { state: NO_BRAKE_STATE, version: 0, hasPlaces: false };

export const accounts = (count: number) =>
  Array.from({ length: count }, (_, nth) => `AC${String(nth).padStart(32, "0")}`);
export const incidentOf = (accountSid: string) => `incident of ${accountSid}`;
export const sids = (list: readonly { accountSid: string }[]) => list.map(({ accountSid }) => accountSid).sort();

export type BrakeWorkers = Awaited<ReturnType<typeof brakeWorkers>>;

/** Keepers of the one brake, each as in a process of its own, on a real table that can fail. */
export async function brakeWorkers() {
  const table: EmptyTable = await emptyTable();
  const { client, tableName } = table;
  let logged: string[] = [];
  let inbox: Message[] = [];

  const store = (clock: Clock = systemClock): BrakeStore => brakeStore(client, tableName, clock);
  function worker(clock: Clock = systemClock, changes: Partial<BrakeKeeperOptions> = {}): BrakeKeeper {
    const log = jsonLog((line) => logged.push(line));
    const own: Inbox = { put: async (message) => void inbox.push(message) };
    return brakeKeeper({ store: store(clock), inbox: own, brake: BRAKE, clock, log, patience: 60_000, ...changes });
  }

  async function waiting(): Promise<Waiting[]> {
    const all = [];
    for await (const page of store().waiting.pages()) all.push(...page);
    return all;
  }

  /** The items of those that wait, and of those that did. */
  async function waitingItems() {
    const all: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName })) all.push(...Items);
    return all.filter(({ pk }) => pk === waitingKey("").pk);
  }

  type Writes = NonNullable<BatchWriteCommandInput["RequestItems"]>[string];
  async function writeAll(writes: Writes): Promise<void> {
    for (let from = 0; from < writes.length; from += 25)
      await client.send(new BatchWriteCommand({ RequestItems: { [tableName]: writes.slice(from, from + 25) } }));
  }

  return {
    ...{ table, store, worker, waiting, waitingItems },
    logged: () => logged,
    /** What accounts are asked again. */
    inbox: () => inbox,
    async state() {
      const key = new GetCommand({ TableName: tableName, Key: brakeKey, ConsistentRead: true });
      return brakeOf((await client.send(key)).Item);
    },
    /** Nobody was suspended, nobody waits, and everything works. */
    async begin(): Promise<void> {
      table.proxy.clear();
      logged = [];
      inbox = [];
      // As written before the list had items of its own.
      const item = { ...brakeKey, version: 1, suspensions: [], waiting: [], released: [] };
      await client.send(new PutCommand({ TableName: tableName, Item: item }));
      await writeAll((await waitingItems()).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })));
    },
    /** Each asks, and those that may are suspended. @returns those. */
    async tripAll(all: readonly string[], by: (nth: number) => BrakeKeeper, known = NOTHING): Promise<string[]> {
      const tripped = all.map(async (account, nth) => {
        const permit = by(nth).permitFor(account, incidentOf(account), known);
        const isFree = await permit.mayAsk();
        await permit.settle(isFree ? "ours" : "not-suspended");
        return isFree ? [account] : [];
      });
      return (await Promise.all(tripped)).flat();
    },
    /** All of them wait, as though they had been held one after the other, a millisecond each. */
    async hold(all: readonly string[], from: number): Promise<void> {
      const items = all.map((account, nth) => {
        const since = new Date(from + nth).toISOString();
        return { ...waitingKey(account), incidentId: incidentOf(account), since, heldBy: since };
      });
      await writeAll(items.map((Item) => ({ PutRequest: { Item } })));
    },
    close: () => table.close(),
  };
}
