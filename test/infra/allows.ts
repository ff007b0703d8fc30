import * as z from "zod/mini";
import { actionsOf, type Statement } from "./statements.ts";

const Leading = z.object({
  "ForAllValues:StringLike": z.object({ "dynamodb:LeadingKeys": z.array(z.string()) }),
});

/**
 * Whether these statements let `action` be done on the table's items with these partition keys, as IAM decides it: one statement
 * must cover all keys of a request.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function allows(statements: readonly Statement[], action: string, partitionKeys: readonly string[]): boolean {
  return statements.some(
    (statement) =>
      statement.Effect === "Allow" &&
      actionsOf(statement).includes(action) &&
      isOnTable(statement) &&
      partitionKeys.every((key) => patternsOf(statement).some((pattern) => isLike(key, pattern))),
  );
}

// In the indexes are only incidents.
function isOnTable({ Resource }: Statement): boolean {
  return JSON.stringify(Resource).includes(JSON.stringify({ "Fn::GetAtt": ["Incidents", "Arn"] }));
}

/** Throws for any other condition than that of the leading keys, so that nothing passes unseen. */
function patternsOf({ Condition }: Statement): string[] {
  return Condition === undefined
    ? ["*"]
    : z.parse(Leading, Condition)["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
}

/** IAM's StringLike: `*` is any number of characters, `?` is one. */
function isLike(text: string, pattern: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[\\s\\S]*")
    .replaceAll("?", "[\\s\\S]");
  return new RegExp(`^${expression}$`).test(text);
}
