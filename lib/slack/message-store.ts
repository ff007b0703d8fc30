import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand, type UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { Beginning, Present } from "./incident-message.ts";
import { messageKey } from "./keys.ts";
import type { MessageAddress } from "./web-api.ts";

/** Where each incident's message is in Slack, and what it shows. All methods reject when the table can't be reached. */
export interface MessageStore {
  /** Undefined while there is no message. */
  read(incidentId: string): Promise<IncidentMessage | undefined>;
  /**
   * Whether the caller, who calls itself `claimant`, is to post the incident's message; nobody else is for 30 seconds.
   * @param instead the message that is not there any more.
   */
  claim(incidentId: string, claimant: string, instead?: MessageAddress): Promise<boolean>;
  /** The claimant could not post it. */
  release(incidentId: string, claimant: string): Promise<void>;
  /** False when the claim had passed to somebody else: then there are two messages, and theirs counts. */
  keep(incidentId: string, claimant: string, posted: PostedIncident): Promise<boolean>;
  /** The alert with this id is in the thread. */
  addReply(incidentId: string, alertId: string): Promise<void>;
  /** How things stand, unless something newer is known. */
  advance(incidentId: string, present: Present, rank: string): Promise<void>;
  /** The message shows what `rank` stands for. */
  shown(incidentId: string, rank: string): Promise<void>;
}

const Posted = z.object({
  channel: z.string(),
  ts: z.string(),
  beginning: Beginning,
  present: Present,
  /** Of `present`, and of what the message shows. Equal unless somebody is at it, or was cut off. */
  rank: z.string(),
  shown: z.string(),
});
type Posted = z.infer<typeof Posted>;

export interface IncidentMessage extends Posted {
  /** The ids of the alerts that the message or its thread shows. */
  told: ReadonlySet<string>;
}

interface PostedIncident extends Omit<Posted, "shown"> {
  /** The alert that it was posted for. */
  alertId: string;
}

/** Longer than the function may run: whoever claimed it is gone by then. */
const CLAIM_MS = 30_000;
/** After each change; an incident that is older begins a new message. */
const KEPT_DAYS = 90;
/** People wait for the alert, not for the table. */
const PATIENCE_MS = 1500;

const Told = z.object({ told: z.set(z.string()) });

export function messageStore(client: DynamoDBDocumentClient, tableName: string, now: () => Date): MessageStore {
  const item = (incidentId: string) => ({ TableName: tableName, Key: messageKey(incidentId) });
  const patience = () => ({ abortSignal: AbortSignal.timeout(PATIENCE_MS) });

  async function read(incidentId: string): Promise<IncidentMessage | undefined> {
    const reading = new GetCommand({ ...item(incidentId), ConsistentRead: true });
    const { Item } = await client.send(reading, patience());
    const posted = z.safeParse(Posted, Item);
    if (!posted.success) return undefined;
    return { ...posted.data, told: z.safeParse(Told, Item).data?.told ?? new Set() };
  }

  /** False where the condition did not hold. */
  async function update(incidentId: string, change: Change): Promise<boolean> {
    const expiresAt = Math.ceil(now().getTime() / 1000) + KEPT_DAYS * 86_400;
    const updating = new UpdateCommand({
      ...item(incidentId),
      ...change,
      UpdateExpression: `SET ${change.set}, expiresAt = :expiresAt${change.and ?? ""}`,
      ExpressionAttributeValues: { ...change.ExpressionAttributeValues, ":expiresAt": expiresAt },
    });
    try {
      await client.send(updating, patience());
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  return {
    read,
    claim(incidentId, claimant, instead) {
      const at = now().getTime();
      const isNew = "attribute_not_exists(pk)";
      const isGivenUp = "(attribute_not_exists(ts) AND claimedAt < :stale)";
      const isGone = "(ts = :ts AND channel = :channel)";
      return update(incidentId, {
        set: "claimedBy = :claimant, claimedAt = :at",
        and: instead === undefined ? "" : " REMOVE ts",
        ConditionExpression: [isNew, isGivenUp, ...(instead === undefined ? [] : [isGone])].join(" OR "),
        ExpressionAttributeValues: {
          ...{ ":claimant": claimant, ":at": at, ":stale": at - CLAIM_MS },
          ...(instead !== undefined && { ":ts": instead.ts, ":channel": instead.channel }),
        },
      });
    },
    async release(incidentId, claimant) {
      await update(incidentId, {
        set: "claimedAt = :never",
        ConditionExpression: "claimedBy = :claimant",
        ExpressionAttributeValues: { ":never": 0, ":claimant": claimant },
      });
    },
    keep(incidentId, claimant, { channel, ts, beginning, present, rank, alertId }) {
      return update(incidentId, {
        set: "channel = :channel, ts = :ts, beginning = :beginning, present = :present, #rank = :rank, shown = :rank",
        and: " ADD told :told",
        ConditionExpression: "claimedBy = :claimant",
        ExpressionAttributeNames: { "#rank": "rank" },
        ExpressionAttributeValues: {
          ...{ ":claimant": claimant, ":channel": channel, ":ts": ts, ":beginning": beginning, ":present": present },
          ...{ ":rank": rank, ":told": new Set([alertId]) },
        },
      });
    },
    async addReply(incidentId, alertId) {
      await update(incidentId, {
        set: "repliedAt = :at",
        and: " ADD told :told",
        ExpressionAttributeValues: { ":at": now().toISOString(), ":told": new Set([alertId]) },
      });
    },
    async advance(incidentId, present, rank) {
      await update(incidentId, {
        set: "present = :present, #rank = :rank",
        ConditionExpression: "#rank < :rank",
        ExpressionAttributeNames: { "#rank": "rank" },
        ExpressionAttributeValues: { ":present": present, ":rank": rank },
      });
    },
    async shown(incidentId, rank) {
      await update(incidentId, { set: "shown = :rank", ExpressionAttributeValues: { ":rank": rank } });
    },
  };
}

interface Change
  extends Pick<UpdateCommandInput, "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"> {
  set: string;
  /** Further clauses. */
  and?: string;
}
