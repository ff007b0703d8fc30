import { BatchGetCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import type { Clock } from "../clock.ts";
import { messageOf, TollbreakerError } from "../errors.ts";
import { operatorKey } from "../incidents/keys.ts";
import { markOf, type NoteUse, type NoteUseOptions, noteUses } from "./note-use.ts";
import type { Operator } from "./operators.ts";

/** When each operator was last let in. */
export interface OperatorUses {
  note: NoteUse;
  /**
   * When each was last let in with the present token, by name; who never was is missing. Exact to a minute.
   * @throws TollbreakerError `operator-uses-unreadable`.
   */
  lastUses(operators: readonly Operator[]): Promise<ReadonlyMap<string, string>>;
}

/** What BatchGetItem takes: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const KEYS_AT_ONCE = 100;

const UseItem = z.object({ pk: z.string(), lastUsedAt: z.string(), mark: z.string() });
type UseItem = z.infer<typeof UseItem>;

export function operatorUses(options: NoteUseOptions): OperatorUses {
  const { client, tableName } = options;

  async function lastUses(operators: readonly Operator[]): Promise<ReadonlyMap<string, string>> {
    const items = (await Promise.all(inGroups(operators).map(read))).flat();
    const byKey = new Map(items.map((item) => [item.pk, item]));
    const uses = operators.flatMap((operator): [string, string][] => {
      const item = byKey.get(operatorKey(operator.name).pk);
      return item?.mark === markOf(operator) ? [[operator.name, item.lastUsedAt]] : [];
    });
    return new Map(uses);
  }

  async function read(operators: readonly Operator[]): Promise<UseItem[]> {
    try {
      const Keys = operators.map(({ name }) => operatorKey(name));
      const answer = await client.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys } } }));
      // A throttled batch answers 200 with what it did not read; that must not look like "never used".
      if (answer.UnprocessedKeys?.[tableName] !== undefined) throw unreadable("only a part of what was asked for");
      return z.parse(z.array(UseItem), answer.Responses?.[tableName] ?? []);
    } catch (cause) {
      throw cause instanceof TollbreakerError ? cause : unreadable(messageOf(cause), cause);
    }
  }

  return { note: noteUses(options), lastUses };
}

function inGroups(operators: readonly Operator[]): Operator[][] {
  const groups: Operator[][] = [];
  for (let start = 0; start < operators.length; start += KEYS_AT_ONCE)
    groups.push(operators.slice(start, start + KEYS_AT_ONCE));
  return groups;
}

function unreadable(got: string, cause?: unknown): TollbreakerError {
  return new TollbreakerError("operator-uses-unreadable", "When operators were last let in could not be read.", {
    got,
    fix: "check TABLE_NAME, the function's permission dynamodb:BatchGetItem on OPERATOR#*, and the state of DynamoDB",
    cause,
  });
}

/** For one process alone: nothing outlives it. */
export function usesOfThisProcess(clock: Clock): OperatorUses {
  const uses = new Map<string, string>();
  return {
    note: async ({ name }) => void uses.set(name, clock.now().toISOString()),
    lastUses: async () => uses,
  };
}
