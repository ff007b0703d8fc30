import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as z from "zod/mini";
import { lambdaEvent } from "../firing.ts";
import { monotonicMs } from "../monotonic.ts";

/**
 * Twilio before the built webhook of usage triggers. Argument: its bundle. A message is a schedule of signed webhooks, and
 * is answered when all were, with when each came first
 * and whether it was stored.
 */
const Schedule = z.array(
  z.object({
    /** Milliseconds after the schedule begins. */
    atMs: z.number(),
    /** How often it is sent again when the answer is 503. */
    retries: z.number(),
    webhook: z.object({ path: z.string(), body: z.string(), headers: z.record(z.string(), z.string()) }),
  }),
);
type Scheduled = z.infer<typeof Schedule>[number];

const RETRY_AFTER_MS = 250;

const [bundle = ""] = process.argv.slice(2);
const { handler } = await import(pathToFileURL(bundle).href);

process.on("message", async ({ message }: { message: unknown }) => {
  const begun = monotonicMs();
  process.send?.(await Promise.all(z.parse(Schedule, message).map((one) => sendInTime(one, begun))));
});
process.on("disconnect", () => process.exit(0));

async function sendInTime({ atMs, retries, webhook }: Scheduled, scheduleBegun: number) {
  await sleep(Math.max(0, scheduleBegun + atMs - monotonicMs()));
  const begun = monotonicMs();
  for (let left = retries; ; left--) {
    const { statusCode } = await handler(lambdaEvent(webhook), {});
    if (statusCode !== 204 && statusCode !== 503) throw new Error(`The webhook answered ${statusCode}.`);
    if (statusCode === 204 || left === 0) return { begun, isStored: statusCode === 204 };
    await sleep(RETRY_AFTER_MS);
  }
}
