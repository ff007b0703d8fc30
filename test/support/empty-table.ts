import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import dynalite from "dynalite";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

/** A real DynamoDB engine on loopback with an empty table, behind a proxy that can fail and counts what comes. */
export interface EmptyTable {
  tableName: string;
  proxy: FaultProxy;
  client: DynamoDBDocumentClient;
  /** How many writes have come, those that were refused included. */
  writes(): number;
  close(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };
const WRITES = ["PutItem", "UpdateItem"];

export async function emptyTable(): Promise<EmptyTable> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the database does not listen on a port");
  const proxy = await startFaultProxy(`http://127.0.0.1:${address.port}`);
  const dynamo = new DynamoDBClient({ endpoint: proxy.url, region: "us-east-1", credentials: CREDENTIALS });
  const tableName = `windows-${randomUUID()}`;
  await dynamo.send(newTable(tableName));

  return {
    tableName,
    proxy,
    client: DynamoDBDocumentClient.from(dynamo),
    writes: () => proxy.requests().filter(({ operation }) => WRITES.includes(operation)).length,
    async close() {
      dynamo.destroy();
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function newTable(tableName: string): CreateTableCommand {
  return new CreateTableCommand({
    TableName: tableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      { AttributeName: "sk", AttributeType: "S" },
    ],
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
  });
}
