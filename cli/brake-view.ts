import * as z from "zod/mini";
import { checked } from "./checked.ts";
import { readFrom } from "./request.ts";
import type { Server } from "./server.ts";

/** What was counted against the limit; null where no usage trigger tripped, or the server does not tell. */
const Counted = z.nullable(
  z.object({
    ...{ usageCategory: z.string(), triggerBy: z.string(), currentValue: z.string(), triggerValue: z.string() },
    currency: z.nullable(z.string()),
  }),
);

/** The brake, as the operator API has it: docs/api.md. */
export const BrakeView = z.object({
  /** Those that count now; an account perhaps more than once. */
  suspensions: z.array(z.object({ accountSid: z.string(), at: z.string() })),
  waiting: z.array(
    z.object({ accountSid: z.string(), incidentId: z.string(), since: z.string(), counted: z._default(Counted, null) }),
  ),
  /** Where the list goes on; null or left out on its last page. */
  next: z.optional(z.nullable(z.string())),
  limit: z.object({ suspensions: z.number(), withinSeconds: z.number() }),
});
export type BrakeView = z.infer<typeof BrakeView>;

/** With all that wait, longest first, from as many pages as there are. */
export async function readBrake(server: Server): Promise<BrakeView> {
  const brake = checked(BrakeView, await readFrom(server, "/api/brake"), server);
  const waiting = [...brake.waiting];
  let { next } = brake;
  while (typeof next === "string") {
    const query = new URLSearchParams({ limit: "1000", cursor: next });
    const page: BrakeView = checked(BrakeView, await readFrom(server, `/api/brake?${query}`), server);
    waiting.push(...page.waiting);
    next = page.next;
  }
  return { ...brake, waiting: waiting.sort((one, other) => one.since.localeCompare(other.since)), next: null };
}
