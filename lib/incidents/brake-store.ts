import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import type { Clock } from "../clock.ts";
import { unlessRefused } from "../conditional-write.ts";
import { TollbreakerError } from "../errors.ts";
import { type BrakeState, NO_BRAKE_STATE, type Suspension } from "../policy/brake.ts";
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
  update<T extends BrakeChange>(change: (state: BrakeState) => T, known?: VersionedBrake): Promise<T>;
  /** The accounts that wait, each in an item of its own: who is held does not write what all share. */
  waiting: WaitingStore;
}

interface BrakeChange {
  next: BrakeState;
  /**
   * Where it only takes or gives back this place: it then does not matter what else was written meanwhile. Hundreds of
   * workers that take places at once would never get through if each had to write what it read. `limit`: how many accounts
   * may have one.
   */
  takes?: { place: Suspension; limit: number };
  givesBack?: Suspension;
}

export interface VersionedBrake {
  state: BrakeState;
  version: number;
  /** Whether its item is there, and such that a place can be taken or given back by itself. */
  hasPlaces: boolean;
}

const BrakeItem = z.object({
  version: z.number(),
  /** By account, when it took its places: one of them can be added or removed by itself. */
  places: z.optional(z.record(z.string(), z.array(z.string()))),
  /** Where they were before. */
  suspensions: z._default(z.array(z.object({ accountSid: z.string(), at: z.string() })), () => []),
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

/** With jitter between them, enough for hundreds of workers at the same moment. */
const MOST_TRIES = 60;
const LONGEST_WAIT_MS = 50;

export function brakeStore(client: DynamoDBDocumentClient, tableName: string, clock: Clock): BrakeStore {
  async function read(): Promise<VersionedBrake> {
    const answer = await client.send(new GetCommand({ TableName: tableName, Key: brakeKey, ConsistentRead: true }));
    return brakeOf(answer.Item);
  }

  function write({ state, version, hasPlaces }: VersionedBrake, change: BrakeChange): Promise<boolean> {
    const { next, takes, givesBack } = change;
    if (hasPlaces && takes !== undefined && hasRoom(state, takes)) return take(takes.place, takes.limit);
    if (hasPlaces && givesBack !== undefined && isOnlyOne(state, givesBack)) return giveBack(givesBack);
    return replace(version, next);
  }

  function take({ accountSid, at }: Suspension, limit: number): Promise<boolean> {
    const hasPlaces = "attribute_exists(places)";
    const isNotFull = "size(places) < :limit";
    const isNew = "attribute_not_exists(places.#account)";
    return changePlaces(accountSid, {
      UpdateExpression: "SET places.#account = :times ADD version :one",
      ConditionExpression: `${hasPlaces} AND ${isNotFull} AND ${isNew}`,
      ExpressionAttributeValues: { ":times": [at], ":limit": limit, ":one": 1 },
    });
  }

  function giveBack({ accountSid, at }: Suspension): Promise<boolean> {
    const isIts = "places.#account[0] = :at";
    const isOnlyOne = "size(places.#account) = :one";
    return changePlaces(accountSid, {
      UpdateExpression: "REMOVE places.#account ADD version :one",
      ConditionExpression: `${isIts} AND ${isOnlyOne}`,
      ExpressionAttributeValues: { ":at": at, ":one": 1 },
    });
  }

  function changePlaces(accountSid: string, change: Partial<UpdateCommandInput>): Promise<boolean> {
    const ExpressionAttributeNames = { "#account": accountSid };
    const write = new UpdateCommand({ TableName: tableName, Key: brakeKey, ExpressionAttributeNames, ...change });
    return unlessRefused(client.send(write));
  }

  function replace(version: number, { suspensions, ...next }: BrakeState): Promise<boolean> {
    const isNew = "attribute_not_exists(pk)";
    const isAsWeReadIt = "version = :version";
    const write = new PutCommand({
      TableName: tableName,
      Item: { ...brakeKey, ...next, places: placesOf(suspensions), version: version + 1 },
      ConditionExpression: version === 0 ? isNew : isAsWeReadIt,
      ...(version === 0 ? {} : { ExpressionAttributeValues: { ":version": version } }),
    });
    return unlessRefused(client.send(write));
  }

  return {
    waiting: waitingStore(client, tableName),
    async update(change, known) {
      let current = known ?? (await read());
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const changed = change(current.state);
        if (changed.next === current.state || (await write(current, changed))) return changed;
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
  if (item === undefined) return { state: NO_BRAKE_STATE, version: 0, hasPlaces: false };
  const { version, places, suspensions, ...state } = z.parse(BrakeItem, item);
  const taken = Object.entries(places ?? {}).flatMap(([accountSid, times]) => times.map((at) => ({ accountSid, at })));
  const byTime = [...suspensions, ...taken].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return { state: { ...state, suspensions: byTime }, version, hasPlaces: places !== undefined };
}

function placesOf(suspensions: readonly Suspension[]): Record<string, string[]> {
  const byAccount = Map.groupBy(suspensions, ({ accountSid }) => accountSid);
  return Object.fromEntries([...byAccount].map(([accountSid, own]) => [accountSid, own.map(({ at }) => at)]));
}

/** As the table will see it: places out of the window are there until the next time that all is written. */
function hasRoom({ suspensions }: BrakeState, { place, limit }: NonNullable<BrakeChange["takes"]>): boolean {
  const accounts = new Set(suspensions.map(({ accountSid }) => accountSid));
  return accounts.size < limit && !accounts.has(place.accountSid);
}

function isOnlyOne({ suspensions }: BrakeState, { accountSid }: Suspension): boolean {
  return suspensions.filter((one) => one.accountSid === accountSid).length === 1;
}
