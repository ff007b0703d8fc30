import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { LOCAL_CREDENTIALS, startLocalAws } from "../../local/aws.ts";

/** The table with its indexes in a real database engine. */
export async function startLocalTable() {
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-table-"));
  const aws = await startLocalAws({ dataDir });
  Object.assign(process.env, LOCAL_CREDENTIALS, { AWS_ENDPOINT_URL_DYNAMODB: aws.dynamoUrl });
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
  return {
    client,
    tableName: aws.tableName,
    async close() {
      client.destroy();
      await aws.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
