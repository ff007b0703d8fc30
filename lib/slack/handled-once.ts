import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { unlessRefused } from "../conditional-write.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { requestKey } from "./keys.ts";

/** Whether this signed request comes for the first time. Never rejects. */
export type HandledOnce = (signature: string, now: Date) => Promise<boolean>;

/** Twice as long as a signature is good for, in either direction of the clocks. */
const KEPT_S = 20 * 60;
const PATIENCE_MS = 600;

/**
 * Remembers each signature in the table, shared by all functions. When that can't be done the request counts as the
 * first: what it asks for has an id of its own, by which the inbox and the responder know it again.
 */
export function handledOnce(client: DynamoDBDocumentClient, tableName: string, log: Log): HandledOnce {
  return async (signature, now) => {
    const claimant = randomUUID();
    const isFirst = "attribute_not_exists(pk)";
    // The SDK asks again where DynamoDB's answer was lost: then the note is there, and it is ours.
    const isOurs = "claimant = :claimant";
    const noting = new PutCommand({
      TableName: tableName,
      Item: { ...requestKey(signature), claimant, expiresAt: Math.ceil(now.getTime() / 1000) + KEPT_S },
      ConditionExpression: `${isFirst} OR ${isOurs}`,
      ExpressionAttributeValues: { ":claimant": claimant },
    });
    try {
      return await unlessRefused(client.send(noting, { abortSignal: AbortSignal.timeout(PATIENCE_MS) }));
    } catch (error) {
      log.warn("slack-request-not-noted", { reason: messageOf(error) });
      return true;
    }
  };
}
