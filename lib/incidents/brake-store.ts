import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import type { Clock } from "../clock.ts";
import { TollbreakerError } from "../errors.ts";
import { type BrakeState, NO_BRAKE_STATE } from "../policy/brake.ts";
import { NO_BRAKE_ALERT } from "../policy/brake-alert.ts";
import { brakeKey } from "./keys.ts";
import { type WaitingStore, waitingStore } from "./waiting-store.ts";

/** The one brake that all workers share. */
export interface BrakeStore {
  /**
   * Replaces the state by what `change` makes of it, atomically: when somebody else was faster, `change` is asked again
   * about the newer state. What changes nothing is not written.
   * @param known the state as read a moment ago: saves a round trip when nothing has happened since.
   */
  update<T extends { next: BrakeState }>(change: (state: BrakeState) => T, known?: VersionedBrake): Promise<T>;
  /** The accounts that wait, each in an item of its own: who is held does not write what all share. */
  waiting: WaitingStore;
}

export interface VersionedBrake {
  state: BrakeState;
  version: number;
}

const BrakeItem = z.object({
  version: z.number(),
  suspensions: z.array(z.object({ accountSid: z.string(), at: z.string() })),
  releases: z._default(z.array(z.object({ command: z.string(), reached: z.nullable(z.string()) })), () => []),
  alert: z._default(
    z.object({
      maker: z.nullable(z.object({ incidentId: z.string(), until: z.string() })),
      last: z.nullable(z.object({ incidentId: z.string(), at: z.string(), waiting: z.number() })),
      notBefore: z.nullable(z.string()),
    }),
    () => NO_BRAKE_ALERT,
  ),
});

/** With jitter between them, enough for a hundred workers at the same moment. */
const MOST_TRIES = 60;
const LONGEST_WAIT_MS = 50;

export function brakeStore(client: DynamoDBDocumentClient, tableName: string, clock: Clock): BrakeStore {
  async function read(): Promise<VersionedBrake> {
    const answer = await client.send(new GetCommand({ TableName: tableName, Key: brakeKey, ConsistentRead: true }));
    return brakeOf(answer.Item);
  }

  async function replace({ version }: VersionedBrake, next: BrakeState): Promise<boolean> {
    const isNew = "attribute_not_exists(pk)";
    const isAsWeReadIt = "version = :version";
    const writing = new PutCommand({
      TableName: tableName,
      Item: { ...brakeKey, ...next, version: version + 1 },
      ConditionExpression: version === 0 ? isNew : isAsWeReadIt,
      ...(version === 0 ? {} : { ExpressionAttributeValues: { ":version": version } }),
    });
    try {
      await client.send(writing);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  return {
    waiting: waitingStore(client, tableName),
    async update(change, known) {
      let current = known ?? (await read());
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const changed = change(current.state);
        if (changed.next === current.state || (await replace(current, changed.next))) return changed;
        await clock.sleep(Math.random() * LONGEST_WAIT_MS);
        current = await read();
      }
      throw new TollbreakerError(
        "brake-contended",
        "The brake could not be written: too many workers want it at once.",
        {
          fix: "nothing: this worker goes by what it has seen of the brake",
        },
      );
    },
  };
}

/** @param item as read from the table; undefined before the first suspension. */
export function brakeOf(item: unknown): VersionedBrake {
  if (item === undefined) return { state: NO_BRAKE_STATE, version: 0 };
  const { version, ...state } = z.parse(BrakeItem, item);
  return { state, version };
}
