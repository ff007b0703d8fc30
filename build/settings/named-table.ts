import { TollbreakerError } from "../../lib/errors.ts";
import { BY_ACCOUNT, BY_STATE } from "../../lib/incidents/keys.ts";

interface KeyPart {
  AttributeName?: string | undefined;
  KeyType?: string | undefined;
}

const KEYS = { table: "pk, sk", [BY_STATE]: "state, id", [BY_ACCOUNT]: "accountSid, id" };

/**
 * Looks at the table that a stage names, before anything is deployed that would work on it.
 * @param config of an AWS client: where, and with whose rights
 * @throws TollbreakerError `table-unusable`: there is none of that name, or it is no table of Tollbreaker's
 */
export async function checkNamedTable(name: string, config: object): Promise<void> {
  const { DescribeTableCommand, DynamoDBClient, ResourceNotFoundException } = await import("@aws-sdk/client-dynamodb");
  const client = new DynamoDBClient(config);
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    const indexes = (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema }) => [
      IndexName,
      keyOf(KeySchema),
    ]);
    const found: Readonly<Record<string, string>> = { table: keyOf(Table?.KeySchema), ...Object.fromEntries(indexes) };
    const isOurs = Object.entries(KEYS).every(([index, key]) => found[index] === key);
    if (!isOurs) throw unusable(name, `keys and indexes ${JSON.stringify(found)}`);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) throw unusable(name, "none of that name");
    throw error;
  } finally {
    client.destroy();
  }
}

function keyOf(schema: readonly KeyPart[] = []): string {
  const part = (type: string) => schema.find(({ KeyType }) => KeyType === type)?.AttributeName;
  return `${part("HASH")}, ${part("RANGE")}`;
}

function unusable(name: string, got: string): TollbreakerError {
  return new TollbreakerError("table-unusable", `The table ${name}, which the stage names, cannot be used.`, {
    expected: `a table that Tollbreaker made, in this AWS account and region, with keys and indexes ${JSON.stringify(KEYS)}`,
    got,
    fix: "correct `table`, or leave it out: then this deployment makes a table of its own, an empty one",
  });
}
