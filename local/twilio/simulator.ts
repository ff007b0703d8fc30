import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { TollbreakerError } from "../../lib/errors.ts";
import { type Controls, createControls } from "./controls.ts";
import { readAccounts, writeAccounts } from "./data-file.ts";
import type { DebuggerWebhookOrder } from "./error-controls.ts";
import { carryErrors, type ErrorDeliveryOptions } from "./error-delivery.ts";
import type { UnbatchedBody } from "./event-streams.ts";
import { Faults } from "./faults.ts";
import type { FiringOptions } from "./firing.ts";
import { type OrdinaryTraffic, ordinaryTraffic } from "./ordinary-traffic.ts";
import { RequestLog } from "./request-log.ts";
import { Ring } from "./ring.ts";
import { twilioServer } from "./server.ts";
import type { World } from "./state.ts";
import { createWorld, type SubaccountSeed } from "./world.ts";

export interface SimulatorOptions {
  /** On 127.0.0.1; 0, the default, takes any free port. */
  port?: number;
  parent?: { accountSid: string; authToken: string };
  /** How many, or which; 5 when left out. */
  subaccounts?: number | readonly SubaccountSeed[];
  /** The same seed makes the same SIDs, tokens and names. */
  seed?: string;
  /** Milliseconds between two evaluations of all triggers: 1,000 when left out, where Twilio takes about a minute. 0: only on demand. */
  evaluateEveryMs?: number;
  /** Milliseconds between two steps of the traffic: 100 when left out. 0: only by `advance()`. */
  trafficEveryMs?: number;
  /** What each subaccount does by itself: a message every two minutes, a call and a harmless error every twenty when left out; false: nothing. */
  ordinaryTraffic?: Partial<OrdinaryTraffic> | false;
  /** Whether the triggers of a suspended account are evaluated; true when left out. Twilio does not document it. */
  evaluateSuspended?: boolean;
  /** How long a webhook may take to answer, in milliseconds: 15,000 when left out, as Twilio's. */
  webhookTimeoutMs?: number;
  /** The pause before each retry of a webhook, in milliseconds: 250 when left out. */
  webhookRetryMs?: number;
  /** The parent's debugger webhook; none when left out, and then the data file's. */
  debuggerWebhook?: DebuggerWebhookOrder;
  /** How long an Event Streams sink may take to answer, in milliseconds: 5,000 when left out, as Twilio's. */
  sinkTimeoutMs?: number;
  /** What a sink with `batch_events: false` receives: an array of one event when left out, or the event itself. */
  unbatchedEvents?: UnbatchedBody;
  clock?: Clock;
  /** Where accounts, tokens, statuses, triggers and usage are kept between runs; its accounts win over `seed` and `subaccounts`. */
  dataFile?: string;
}

export interface TwilioSimulator extends Controls {
  /** The base for `TWILIO_API_URL`; the control API is at `/simulator` below it. */
  readonly url: string;
  /** Stops the traffic, gives up what is being delivered, saves, and closes every connection. Repeatable. */
  close(): Promise<void>;
}

const KEPT_REQUESTS = 10_000;
const KEPT_DELIVERIES = 5_000;
const ORDINARY: OrdinaryTraffic = {
  messagesPerMinute: 0.5,
  callsPerMinute: 0.05,
  errorsPerMinute: 0.05,
  timeFactor: 1,
};
const NO_TRAFFIC: OrdinaryTraffic = { messagesPerMinute: 0, callsPerMinute: 0, errorsPerMinute: 0, timeFactor: 1 };

/**
 * Starts a Twilio of our own: a real HTTP server on 127.0.0.1 with accounts, calls, messages, usage and triggers.
 * @throws TollbreakerError `simulator-data-unreadable`, `simulator-data-mismatch`, `simulator-account-invalid`; and
 *   Node's own error when the port is taken.
 */
export async function startTwilioSimulator(options: SimulatorOptions = {}): Promise<TwilioSimulator> {
  const clock = options.clock ?? systemClock;
  const closing = new AbortController();
  const saving = savingTo(options.dataFile);
  const world = loadWorld(options, clock, saving.changed);
  const faults = new Faults(clock);
  const requests = new RequestLog(KEPT_REQUESTS);
  const ordinary = ordinaryTraffic(world, ordinaryRates(options));
  const errorDelivery = errorDeliveryOptions(options, closing.signal);
  const carrier = carryErrors(world, errorDelivery);
  const controls = createControls({
    world,
    faults,
    requests,
    firing: firingOptions(options, closing.signal),
    carrier,
    errorDeliveries: errorDelivery.deliveries,
    ordinary,
  });
  if (options.debuggerWebhook) controls.setDebuggerWebhook(world.parentSid, options.debuggerWebhook);
  saving.start(world);
  const server = await listen(twilioServer({ world, faults, requests, controls, carrier }).fetch, options.port ?? 0);
  const stopTimers = startTimers(options, clock, controls);
  const stop = async () => {
    stopTimers();
    closing.abort();
    saving.stop();
    await server.close();
  };
  let stopped: Promise<void> | undefined;
  return { ...controls, url: server.url, close: () => (stopped ??= stop()) };
}

function loadWorld(options: SimulatorOptions, clock: Clock, changed: () => void): World {
  const { seed, parent, subaccounts = 5, dataFile } = options;
  const fresh = () => createWorld({ clock, seed, parent, subaccounts, changed });
  if (dataFile === undefined) return fresh();
  const empty = createWorld({ clock, seed, parent, subaccounts: 0, changed });
  const accounts = readAccounts(empty, dataFile);
  const first = accounts?.[0];
  if (accounts === undefined || first === undefined) return fresh();
  refuseOtherParent(parent?.accountSid, first.sid, dataFile);
  if (parent !== undefined) first.authToken = parent.authToken;
  return { ...empty, parentSid: first.sid, accounts: new Map(accounts.map((account) => [account.sid, account])) };
}

function refuseOtherParent(asked: string | undefined, saved: string, dataFile: string): void {
  if (asked === undefined || asked === saved) return;
  throw new TollbreakerError(
    "simulator-data-mismatch",
    "The simulator's data file belongs to another parent account.",
    {
      expected: asked,
      got: saved,
      fix: `delete ${dataFile}, or leave the parent account out`,
    },
  );
}

function firingOptions(options: SimulatorOptions, closing: AbortSignal): FiringOptions {
  return {
    timeout: options.webhookTimeoutMs ?? 15_000,
    retryAfter: options.webhookRetryMs ?? 250,
    evaluateSuspended: options.evaluateSuspended ?? true,
    deliveries: new Ring(KEPT_DELIVERIES),
    closing,
  };
}

function errorDeliveryOptions(options: SimulatorOptions, closing: AbortSignal): ErrorDeliveryOptions {
  return {
    debuggerTimeout: options.webhookTimeoutMs ?? 15_000,
    sinkTimeout: options.sinkTimeoutMs ?? 5_000,
    retryAfter: options.webhookRetryMs ?? 250,
    unbatched: options.unbatchedEvents ?? "array",
    deliveries: new Ring(KEPT_DELIVERIES),
    closing,
  };
}

const ordinaryRates = ({ ordinaryTraffic }: SimulatorOptions): OrdinaryTraffic =>
  ordinaryTraffic === false ? NO_TRAFFIC : { ...ORDINARY, ...ordinaryTraffic };

/** Saves soon after each change, together with what else changes meanwhile, and once more at the end. */
function savingTo(path: string | undefined) {
  let world: World | undefined;
  let timer: NodeJS.Timeout | undefined;
  const save = () => {
    clearTimeout(timer);
    timer = undefined;
    if (world !== undefined && path !== undefined) writeAccounts(world, path);
  };
  return {
    changed: () => {
      if (path !== undefined) timer ??= setTimeout(save, 100);
    },
    start: (loaded: World) => {
      world = loaded;
      save();
    },
    stop: save,
  };
}

function startTimers(options: SimulatorOptions, clock: Clock, controls: Controls): () => void {
  let last = clock.now().getTime();
  const timers = [
    every(options.trafficEveryMs ?? 100, () => {
      const now = clock.now().getTime();
      controls.advance(Math.max(0, now - last));
      last = now;
    }),
    every(options.evaluateEveryMs ?? 1_000, () => void controls.evaluateTriggers()),
  ];
  return () => timers.forEach(clearInterval);
}

const every = (milliseconds: number, act: () => void) =>
  milliseconds > 0 ? setInterval(act, milliseconds) : undefined;

async function listen(fetch: Parameters<typeof createAdaptorServer>[0]["fetch"], port: number) {
  const server = createAdaptorServer({ fetch });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: taken } = server.address() as AddressInfo;
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    // Requests that a fault left without an answer would keep the server open for ever.
    if ("closeAllConnections" in server) server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${taken}`, close };
}
