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
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
    },
  });
  const rows: Row[] = [];
  try {
    await measureAll(values.quick ? QUICK : FULL, values.only, rows);
  } finally {
    // Also what was measured before something failed.
    process.stdout.write(`${values.json ? asJson(rows) : asTable(rows)}\n`);
  }
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

/** @param only the names of what is measured, as they are said while it is; everything when left out */
async function measureAll(effort: Effort, only: readonly string[] | undefined, rows: Row[]): Promise<void> {
  say("building the functions");
  const bundles = await buildBundles();
  const measures: Record<string, () => Row[] | Promise<Row[]>> = {
    "cold starts": () => measureColdStarts(bundles, effort.starts),
    "from a webhook to the suspend request": () => measureSuspendPath(bundles, effort),
    "a flood of errors": () => measureErrorFlood(bundles, effort),
    "a flood of forged webhooks": () => measureWebhookFlood(bundles, effort),
    "what once held firings up": () => measurePoisonedInbox(bundles, effort),
    "many accounts at once": () => measureMassTrip(bundles, effort),
    refusals: () => measureRefusals(effort),
    throughput: () => measureThroughput(effort),
    "a sweep": () => measureSweep(effort),
    "what each kind of limit sees": () => measureSpendRules(effort),
  };
  try {
    for (const name of only ?? []) refuseUnknown(name, Object.keys(measures));
    for (const [what, measure] of Object.entries(measures)) {
      if (only !== undefined && !only.includes(what)) continue;
      say(what);
      rows.push(...(await measure()));
    }
  } finally {
    await bundles.remove();
  }
}

function refuseUnknown(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw new RangeError(`--only ${name}: there is no such measure. Expected one of: ${known.join(", ")}.`);
}

/** Progress, apart from the result. */
function say(step: string): void {
  process.stderr.write(`measuring: ${step}\n`);
}
