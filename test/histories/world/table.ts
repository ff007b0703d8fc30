import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { holds, type Item, updated } from "./expressions.ts";

/** A DynamoDB table in memory, spoken to in the commands of the document client; every read is consistent. */
export interface Table {
  /** Does what `command` asks for, at once. @throws as DynamoDB, where a condition does not hold or an item is too large */
  execute(command: object): unknown;
  /** All items; each write makes another object of one. */
  items(): Iterable<Item>;
  item(key: Key): Item | undefined;
  /** Called after each write with the item as it is then. */
  onWrite(watch: (item: Item) => void): void;
}

type Key = { pk: string; sk: string };

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MOST_BYTES = 400 * 1024;

export function memoryTable(): Table {
  const partitions = new Map<string, Map<string, Item>>();
  const watchers: ((item: Item) => void)[] = [];
  const item = ({ pk, sk }: Key) => partitions.get(pk)?.get(sk);

  function write(next: Item): void {
    const whole = checked(next);
    const { pk, sk } = keyIn(whole);
    const partition = partitions.get(pk) ?? new Map<string, Item>();
    partitions.set(pk, partition.set(sk, whole));
    for (const watch of watchers) watch(whole);
  }

  function put({ input }: PutCommand): object {
    const next = input.Item ?? {};
    require(input, item(keyIn(next)));
    write(next);
    return {};
  }

  function update({ input }: UpdateCommand): object {
    const key = keyIn(input.Key ?? {});
    const there = item(key);
    require(input, there);
    write(updated(input.UpdateExpression ?? "", there ?? key, substitutesIn(input)));
    return input.ReturnValues === "ALL_NEW" ? { Attributes: copy(item(key)) } : {};
  }

  function remove({ input }: DeleteCommand): object {
    const { pk, sk } = keyIn(input.Key ?? {});
    require(input, item({ pk, sk }));
    partitions.get(pk)?.delete(sk);
    return {};
  }

  function query({ input }: QueryCommand): object {
    if (input.IndexName !== undefined) throw new Error("histories have no indexes");
    const found = [...(partitions.get(partitionIn(input)) ?? new Map<string, Item>()).values()].filter((one) =>
      [input.KeyConditionExpression, input.FilterExpression].every(
        (expression) => expression === undefined || holds(expression, one, substitutesIn(input)),
      ),
    );
    return { Items: found.toSorted((a, b) => (keyIn(a).sk < keyIn(b).sk ? -1 : 1)).map(copy) };
  }

  function getAll({ input }: BatchGetCommand): object {
    const answers = Object.entries(input.RequestItems ?? {}).map(([name, { Keys = [] }]) => {
      const found = Keys.flatMap((key) => item(keyIn(key)) ?? []);
      return [name, found.map(copy)] as const;
    });
    return { Responses: Object.fromEntries(answers) };
  }

  return {
    item,
    *items() {
      for (const partition of partitions.values()) yield* partition.values();
    },
    onWrite: (watch) => watchers.push(watch),
    execute(command) {
      if (command instanceof GetCommand) return { Item: copy(item(keyIn(command.input.Key ?? {}))) };
      if (command instanceof BatchGetCommand) return getAll(command);
      if (command instanceof PutCommand) return put(command);
      if (command instanceof UpdateCommand) return update(command);
      if (command instanceof DeleteCommand) return remove(command);
      if (command instanceof QueryCommand) return query(command);
      throw new Error(`histories do not know ${command.constructor.name}`);
    },
  };
}

interface Expressing {
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

function substitutesIn({ ExpressionAttributeNames: names, ExpressionAttributeValues: values }: Expressing) {
  return { names, values };
}

function require(input: Expressing, there: Item | undefined): void {
  const { ConditionExpression } = input;
  if (ConditionExpression === undefined || holds(ConditionExpression, there ?? {}, substitutesIn(input))) return;
  throw new ConditionalCheckFailedException({ message: "The conditional request failed", $metadata: {} });
}

function partitionIn({ ExpressionAttributeValues: values }: Expressing): string {
  const pk: unknown = values?.[":pk"];
  if (typeof pk !== "string") throw new Error("a query of histories is of the partition :pk");
  return pk;
}

function keyIn({ pk, sk }: Item): Key {
  if (typeof pk === "string" && typeof sk === "string") return { pk, sk };
  throw new Error("an item without its keys");
}

/** What comes out is nobody else's. */
function copy<T>(value: T): T;
function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Set) return new Set(value);
  const whole: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) whole[name] = copy(one);
  return whole;
}

/** @throws as the document client and DynamoDB do, for what they do not take. */
function checked(item: Item): Item {
  if (sizeOf(item) > MOST_BYTES) throw new Error("Item size has exceeded the maximum allowed size");
  return copy(item);
}

/** In bytes, nearly: what matters is what grows without end. */
function sizeOf(value: unknown): number {
  if (value === undefined) throw new Error("the document client takes no undefined");
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof Set && value.size === 0) throw new Error("DynamoDB takes no empty set");
  const parts = value instanceof Set ? [...value] : Object.values(value);
  return parts.reduce<number>((sum, part) => sum + sizeOf(part) + 8, 3);
}
