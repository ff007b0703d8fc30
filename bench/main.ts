import { parseArgs } from "node:util";
import { messageOf } from "../lib/errors.ts";
import { buildBundles } from "./bundles.ts";
import { measureColdStarts } from "./cold-start.ts";
import { type Effort, FULL, QUICK } from "./effort.ts";
import { measureErrorFlood } from "./error-flood.ts";
import { measureMassTrip } from "./mass-trip.ts";
import { measurePoisonedInbox } from "./poisoned-inbox.ts";
import { asJson, asTable } from "./print.ts";
import { measureRefusals } from "./refusal.ts";
import type { Row } from "./row.ts";
import { measureSpendRules } from "./spend-rules.ts";
import { measureSuspendPath } from "./suspend-path.ts";
import { measureSweep } from "./sweep.ts";
import { measureThroughput } from "./throughput.ts";
import { measureWebhookFlood } from "./webhook-flood.ts";

/**
 * `npm run bench`: what docs/performance.md explains. A missed aim is printed, not an error: the exit code is 1 only
 * when something could not be measured.
 */
try {
  const { values } = parseArgs({
    options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } },
  });
  const rows = await measureAll(values.quick ? QUICK : FULL);
  process.stdout.write(`${values.json ? asJson(rows) : asTable(rows)}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function measureAll(effort: Effort): Promise<Row[]> {
  say("building the functions");
  const bundles = await buildBundles();
  try {
    say("cold starts");
    const coldStarts = await measureColdStarts(bundles, effort.starts);
    say("from a webhook to the suspend request");
    const suspendPath = await measureSuspendPath(bundles, effort);
    say("a flood of errors");
    const errorFlood = await measureErrorFlood(bundles, effort);
    say("a flood of forged webhooks");
    const webhookFlood = await measureWebhookFlood(bundles, effort);
    say("what once held firings up");
    const poisonedInbox = await measurePoisonedInbox(bundles, effort);
    say("many accounts at once");
    const massTrip = await measureMassTrip(bundles, effort);
    say("refusals");
    const refusals = await measureRefusals(effort);
    say("throughput");
    const throughput = await measureThroughput(effort);
    say("a sweep");
    const sweep = await measureSweep(effort);
    say("what each kind of limit sees");
    const attacks = [...webhookFlood, ...poisonedInbox, ...massTrip, ...refusals];
    const others = [...throughput, ...sweep, ...measureSpendRules(effort)];
    return [...coldStarts, ...suspendPath, ...errorFlood, ...attacks, ...others];
  } finally {
    await bundles.remove();
  }
}

/** Progress, apart from the result. */
function say(step: string): void {
  process.stderr.write(`measuring: ${step}\n`);
}
