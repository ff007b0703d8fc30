import * as z from "zod/mini";

/** The brake, as the operator API has it: lib/policy/brake.ts. */
export const BrakeView = z.object({
  /** Those that count now; an account perhaps more than once. */
  suspensions: z.array(z.object({ accountSid: z.string(), at: z.string() })),
  waiting: z.array(z.object({ accountSid: z.string(), incidentId: z.string(), since: z.string() })),
  limit: z.object({ suspensions: z.number(), withinSeconds: z.number() }),
});
export type BrakeView = z.infer<typeof BrakeView>;
