import type { OperatorUses } from "./operator-uses.ts";
import type { Operator } from "./operators.ts";

/** What everyone with a token may know of an operator; times are ISO 8601 in UTC. */
export interface OperatorView {
  name: string;
  role: Operator["role"];
  /** Null for never. */
  expires: string | null;
  /** Whether a Slack user belongs to the operator. */
  slack: boolean;
  /** Null for never; exact to a minute. */
  lastUsedAt: string | null;
}

/** The body of `GET /api/operators`, in the order of the list. @throws as `uses.lastUses` does. */
export async function operatorListing(
  operators: readonly Operator[],
  uses: OperatorUses,
): Promise<{ operators: OperatorView[] }> {
  const lastUses = await uses.lastUses(operators);
  return {
    operators: operators.map(({ name, role, expires, slack }) => ({
      name,
      role,
      expires: expires === null ? null : expires.toISOString(),
      slack: slack !== null,
      lastUsedAt: lastUses.get(name) ?? null,
    })),
  };
}
