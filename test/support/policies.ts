import type { Policy } from "../../lib/policy/policy.ts";
import { readPolicy } from "../../lib/policy/policy-file.ts";

/** The policy of most tests: no limit is named, every firing suspends, and the brake is out of the way. */
export const SUSPEND_ALL = policyOf(`
mode: enforce
limits: {}
unlisted: suspend
brake: { suspensions: 1000, within: 10m }
`);

/** As an operator would write it. */
export function policyOf(yaml: string): Policy {
  return readPolicy(yaml, "policy.yml");
}
