import { setImmediate as nextTurn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as z from "zod/mini";
import { lambdaEvent } from "../firing.ts";
import { signedError } from "../logged-error.ts";
import { monotonicMs } from "../monotonic.ts";
import { PUBLIC_URL } from "../world.ts";

/**
 * Floods the built debugger function, of which `functions` are warm, each with a memory of its own and one request at a
 * time, as on Lambda. Arguments: its bundle, and how many. A message begins a flood; it says so when that is well under
 * way, and the next message lets it end, once all its events were sent.
 */
const Flood = z.object({
  account: z.object({ accountSid: z.string(), authToken: z.string() }),
  code: z.number(),
  events: z.number(),
  /** One of them answers each. */
  statusCodes: z.array(z.number()),
});

const [bundle = "", functions = "1"] = process.argv.slice(2);
const address = pathToFileURL(bundle).href;
// Another query is another module: nothing is shared between them.
const warm = await Promise.all(Array.from({ length: Number(functions) }, (_, index) => import(`${address}?${index}`)));

let flooding: Promise<unknown> | undefined;
let mayEnd = false;

process.on("message", ({ message }: { message: unknown }) => {
  mayEnd = flooding !== undefined;
  flooding ??= flood(z.parse(Flood, message)).finally(() => {
    flooding = undefined;
  });
});
process.on("disconnect", () => process.exit(0));

async function flood({ account, code, events, statusCodes }: z.infer<typeof Flood>): Promise<void> {
  // Beforehand: it is Twilio's work.
  const webhooks = Array.from({ length: events }, () => signedError(account, PUBLIC_URL, code));
  const before = process.cpuUsage();
  let sent = 0;

  async function sendTo(handler: (event: unknown, context: object) => Promise<{ statusCode: number }>) {
    while (sent < events || !mayEnd) {
      // Where it must last longer it begins again: an event that comes twice is verified and read as often.
      const webhook = webhooks[sent++ % events];
      if (webhook === undefined) throw new RangeError("There are no events to send.");
      const answer = await handler(lambdaEvent(webhook), {});
      if (!statusCodes.includes(answer.statusCode))
        throw new Error(`The debugger function answered ${answer.statusCode}.`);
      if (sent === Math.ceil(events / 10)) process.send?.({ flooding: true });
      await nextTurn();
    }
  }

  await Promise.all(warm.map(({ handler }) => sendTo(handler)));
  const { user, system } = process.cpuUsage(before);
  process.send?.({ sent, cpuMicroseconds: user + system, ended: monotonicMs() });
}
