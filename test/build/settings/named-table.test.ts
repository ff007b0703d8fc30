import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkNamedTable } from "../../../build/settings/named-table.ts";
import { startLocalTable } from "../../support/local-table.ts";

let table: Awaited<ReturnType<typeof startLocalTable>>;
beforeAll(async () => {
  table = await startLocalTable();
});
afterAll(() => table.close());

test("a table that Tollbreaker made can be named", async () => {
  await expect(checkNamedTable(table.tableName, {})).resolves.toBeUndefined();
});

test("one that is not there can't, and the message says where it was looked for", async () => {
  await expect(checkNamedTable("no-such-table", {})).rejects.toThrow(
    /^The table no-such-table, which the stage names, cannot be used\. Expected: a table that Tollbreaker made, in this AWS account and region.+Got: none of that name\. Fix: /,
  );
});

test("nor can somebody else's table", async () => {
  await table.client.send(
    new CreateTableCommand({
      TableName: "customers",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    }),
  );
  await expect(checkNamedTable("customers", {})).rejects.toThrow(/Got: keys and indexes \{"table":"id, undefined"\}/);
});
