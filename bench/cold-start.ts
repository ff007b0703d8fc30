import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import type { Bundles } from "./bundles.ts";
import { lambdaEvent, signedFiring } from "./firing.ts";
import { median } from "./median.ts";
import { runProcess } from "./processes/run.ts";
import { type Row, row } from "./row.ts";
import { PUBLIC_URL, startWorld, type World } from "./world.ts";

const Start = z.object({
  /** Milliseconds from `import()` to a handler that is ready. */
  imported: z.number(),
  /** The same, from the start of the process. */
  sinceProcessStart: z.number(),
  /** Milliseconds from `import()` to the answer to the first request. */
  answered: z.number(),
  statusCode: z.nullable(z.number()),
});
type Start = z.infer<typeof Start>;

const NAIVE = "naive (whole twilio, SQS, SNS, DynamoDB, zod)";
const LEAN = "naive, without SNS and DynamoDB";
const EMPTY = "empty handler";
const WEBHOOK = "usage-trigger";

/** Cold starts of every built handler, and of the webhook's first answers, beside the peers'. */
export async function measureColdStarts(bundles: Bundles, starts: number): Promise<Row[]> {
  const world = await startWorld({ subaccounts: 1 });
  try {
    return [...(await importRows(bundles, world, starts)), ...(await firstRequestRows(bundles, world, starts))];
  } finally {
    await world.close();
  }
}

async function importRows(bundles: Bundles, world: World, starts: number): Promise<Row[]> {
  const peers = { [EMPTY]: bundles.built("empty"), [NAIVE]: bundles.built("naive"), [LEAN]: bundles.built("lean") };
  const started = await startInTurn({ ...bundles.handlers, ...peers }, { bundles, world, starts });
  const imported = timesOf(started, ({ imported }) => imported);
  const ready = timesOf(started, ({ sinceProcessStart }) => sinceProcessStart);
  const names = Object.keys(bundles.handlers);
  const importing = (name: string, peer: string) =>
    compared(`import ${name}`, imported, name, peer, name === WEBHOOK && peer === NAIVE ? 0.4 : undefined);
  const getReady = (name: string, peer: string) => compared(`process start to ${name} ready`, ready, name, peer);
  return [
    ...names.map((name) => importing(name, NAIVE)),
    importing(WEBHOOK, LEAN),
    getReady(WEBHOOK, NAIVE),
    // Importing nothing takes next to no time: only with the start of Node itself is this a ratio of use.
    ...names.map((name) => getReady(name, EMPTY)),
  ];
}

async function firstRequestRows(bundles: Bundles, world: World, starts: number): Promise<Row[]> {
  const webhooks = { [WEBHOOK]: bundles.handlers[WEBHOOK] ?? "", [NAIVE]: bundles.built("naive") };
  const rows: Row[] = [];
  for (const { statusCode, event } of [
    { statusCode: 403, event: forged(world) },
    { statusCode: 204, event: genuine(world) },
  ]) {
    const started = await startInTurn(webhooks, { bundles, world, starts, event, statusCode });
    const answered = timesOf(started, ({ answered }) => answered);
    rows.push(compared(`import ${WEBHOOK}, first ${statusCode} answered`, answered, WEBHOOK, NAIVE));
  }
  return rows;
}

interface Starting {
  bundles: Bundles;
  world: World;
  starts: number;
  event?: string;
  statusCode?: number;
}

/** One start of each, then the next of each: what disturbs the machine for a while disturbs all alike. */
async function startInTurn(paths: Record<string, string>, starting: Starting): Promise<Map<string, Start[]>> {
  const started = new Map<string, Start[]>(Object.keys(paths).map((name) => [name, []]));
  for (let turn = 0; turn < starting.starts; turn++) {
    for (const [name, path] of Object.entries(paths)) started.get(name)?.push(await startOnce(path, starting));
  }
  return started;
}

async function startOnce(path: string, { bundles, world, event, statusCode }: Starting): Promise<Start> {
  const parameters = event === undefined ? [path] : [path, event];
  const start = z.parse(Start, await runProcess(bundles.built("cold-start"), parameters, world.environment));
  if (start.statusCode !== (statusCode ?? null)) throw wrongAnswer(path, statusCode, start.statusCode);
  return start;
}

function genuine({ accounts: [account] }: World): string {
  if (account === undefined) throw new TypeError("The simulated Twilio has no subaccount.");
  return JSON.stringify(lambdaEvent(signedFiring(account, PUBLIC_URL)));
}

/** Names a real account, so that its token is looked up before the signature turns out to be wrong. */
function forged({ accounts: [account] }: World): string {
  if (account === undefined) throw new TypeError("The simulated Twilio has no subaccount.");
  return JSON.stringify(lambdaEvent(signedFiring({ ...account, authToken: "forged" }, PUBLIC_URL)));
}

function timesOf(started: Map<string, Start[]>, time: (start: Start) => number): Map<string, number> {
  return new Map([...started].map(([name, starts]) => [name, median(starts.map(time))]));
}

function compared(measure: string, times: Map<string, number>, name: string, peer: string, atMost?: number): Row {
  const [ours = Number.NaN, value = Number.NaN] = [times.get(name), times.get(peer)];
  const aim = atMost === undefined ? {} : { aim: { atMost } };
  return row({ measure: `cold start: ${measure}`, unit: "ms", ours, peer: { name: peer, value }, ...aim });
}

function wrongAnswer(path: string, expected: number | undefined, got: number | null): TollbreakerError {
  return new TollbreakerError("bench-wrong-answer", `The handler ${path} did not do what is measured.`, {
    expected: `status ${expected}`,
    got: `status ${got}`,
    fix: "nothing was measured: start the bench again; if it stays, the handler or the bench is broken",
  });
}
