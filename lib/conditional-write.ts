import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";

/** Whether the condition of the write held. @throws whatever else DynamoDB answers */
export async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
