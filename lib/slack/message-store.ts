import { type DynamoDBDocumentClient, GetCommand, UpdateCommand, type UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { unlessRefused } from "../conditional-write.ts";
import { Beginning, Present } from "./incident-message.ts";
import { messageKey } from "./keys.ts";

/** Where each incident's message is in Slack, and what it shows. All methods reject when the table can't be reached. */
export interface MessageStore {
  read(incidentId: string): Promise<StoredMessage>;
  /**
   * Whether the caller, who calls itself `claimant`, is to post the incident's message; nobody else is for 30 seconds.
   * @param instead what is stored of one that is not there any more, or cannot be read.
   */
  claim(incidentId: string, claimant: string, instead?: Replaced): Promise<boolean>;
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

const IncidentMessage = z.object({
  channel: z.string(),
  ts: z.string(),
  beginning: Beginning,
  present: Present,
  /** Of `present`, and of what the message shows. Equal unless somebody is at it, or was cut off. */
  rank: z.string(),
  shown: z.string(),
  /** The ids of the alerts that the message or its thread shows. */
  told: z.set(z.string()),
});
export type IncidentMessage = z.infer<typeof IncidentMessage>;

export interface Replaced {
  kind: "gone" | "unreadable";
  /** As it is stored. */
  ts: unknown;
}

export type StoredMessage =
  /** Nobody has posted it, whether or not somebody is about to. */
  | { kind: "none" }
  | { kind: "kept"; message: IncidentMessage }
  /** Another version wrote it, or it was damaged. */
  | { kind: "unreadable"; ts: unknown; reason: string };

interface PostedIncident extends Omit<IncidentMessage, "shown" | "told"> {
  /** The alert that it was posted for. */
  alertId: string;
}

/** Longer than the function may run: whoever claimed it is gone by then. */
const CLAIM_MS = 30_000;
/** After each change; an incident that is older begins a new message. */
const KEPT_DAYS = 90;
/** How long the table may take for one request: people wait for the alert, not for it. */
export const TABLE_PATIENCE_MS = 1500;

/** An item that expired meanwhile is not brought back in part. */
const IS_THERE = "attribute_exists(pk)";
/** Which alerts were told stays known of a message that is gone; to a damaged set, nothing could be added. */
const LEFT_OUT = { gone: "ts", unreadable: "ts, told" } as const;

export function messageStore(client: DynamoDBDocumentClient, tableName: string, now: () => Date): MessageStore {
  const item = (incidentId: string) => ({ TableName: tableName, Key: messageKey(incidentId) });
  const patience = () => ({ abortSignal: AbortSignal.timeout(TABLE_PATIENCE_MS) });

  /** False where the condition did not hold. */
  async function update(incidentId: string, change: Change): Promise<boolean> {
    const expiresAt = Math.ceil(now().getTime() / 1000) + KEPT_DAYS * 86_400;
    const updating = new UpdateCommand({
      ...item(incidentId),
      ...change,
      UpdateExpression: `SET ${change.set}, expiresAt = :expiresAt${change.and ?? ""}`,
      ExpressionAttributeValues: { ...change.ExpressionAttributeValues, ":expiresAt": expiresAt },
    });
    return unlessRefused(client.send(updating, patience()));
  }

  return {
    async read(incidentId) {
      const reading = new GetCommand({ ...item(incidentId), ConsistentRead: true });
      const { Item } = await client.send(reading, patience());
      return storedIn(Item);
    },
    claim(incidentId, claimant, instead) {
      const at = now().getTime();
      // Without claimedAt it is nobody's, and NOT makes that true: a comparison with what is not there is false.
      const isFree = "(attribute_not_exists(ts) AND NOT claimedAt >= :stale)";
      // The answer was lost, and the SDK asks again.
      const isOwn = "claimedBy = :claimant";
      const isGone = "ts = :ts";
      return update(incidentId, {
        set: "claimedBy = :claimant, claimedAt = :at",
        and: instead === undefined ? "" : ` REMOVE ${LEFT_OUT[instead.kind]}`,
        ConditionExpression: [isFree, isOwn, ...(instead === undefined ? [] : [isGone])].join(" OR "),
        ExpressionAttributeValues: {
          ...{ ":claimant": claimant, ":at": at, ":stale": at - CLAIM_MS },
          ...(instead !== undefined && { ":ts": instead.ts }),
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
        ConditionExpression: IS_THERE,
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
      await update(incidentId, {
        set: "shown = :rank",
        ConditionExpression: IS_THERE,
        ExpressionAttributeValues: { ":rank": rank },
      });
    },
  };
}

function storedIn(item: Record<string, unknown> | undefined): StoredMessage {
  const ts = item?.["ts"];
  if (ts === undefined) return { kind: "none" };
  const message = z.safeParse(IncidentMessage, item);
  if (message.success) return { kind: "kept", message: message.data };
  const flaws = message.error.issues.map(({ path }) => path.join("."));
  return { kind: "unreadable", ts, reason: `not as this version writes it: ${flaws.join(", ")}` };
}

interface Change
  extends Pick<UpdateCommandInput, "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"> {
  set: string;
  /** Further clauses. */
  and?: string;
}
