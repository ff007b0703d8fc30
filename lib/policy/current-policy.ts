import { loadPolicy } from "./load-policy.ts";
import type { Policy } from "./policy.ts";

/**
 * The policy of this run: `POLICY_FILE`, or `policy.yml`. In a Lambda bundle build/policy-plugin.cjs puts the checked
 * policy in the place of this module, so that a wrong one stops the packaging and never a running function.
 */
export const policy: Policy = loadPolicy(process.env);
