import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import type { Bundles } from "./bundles.ts";
import { begunBetween, lengthOf, ownMs, roundTripsInSequence, type Span } from "./critical-path.ts";
import type { Effort } from "./effort.ts";
import { median } from "./median.ts";
import { runProcess } from "./processes/run.ts";
import { type Row, row } from "./row.ts";
import { suspendRequest } from "./suspend-request.ts";
import { type Service, startWorld, type World } from "./world.ts";

const FIRINGS = fileURLToPath(new URL("./processes/firings.ts", import.meta.url));

/** Milliseconds: far more than a firing's own noise. */
const DELAY_MS = 40;
/** Twilio takes its time in reality, too: so the writes that are made while it is asked are over when it answers. */
const USUAL: Delays = { twilio: DELAY_MS };

type Delays = Partial<Record<Service, number>>;

const Spans = z.object({ begun: z.number(), ended: z.number() });
const Firings = z.array(z.object({ accountSid: z.string(), webhook: Spans, respond: Spans }));
type Firing = z.infer<typeof Firings>[number];

/** One firing, from the webhook's arrival to the suspend request's, without the time the message was in the queue. */
interface Passage {
  webhook: Span;
  /** Ends when the suspend request arrives at Twilio. */
  respond: Span;
  total: number;
  own: number;
  requests: number;
}

/**
 * From a webhook of an account that was never seen before to the request that suspends it, through the built handlers,
 * both of them warm.
 */
export async function measureSuspendPath(bundles: Bundles, effort: Effort): Promise<Row[]> {
  const usual = await passagesWith(USUAL, bundles, effort);
  const trips = {
    twilio: await tripsTo("twilio", usual, bundles, effort),
    sqs: await tripsTo("sqs", usual, bundles, effort),
    dynamodb: await tripsTo("dynamodb", usual, bundles, effort),
  };
  const all = trips.twilio + trips.sqs + trips.dynamodb;
  const measure = (what: string) => `webhook to suspend request: ${what}`;
  return [
    row({
      measure: measure("to the store, in sequence"),
      unit: "round trips",
      ours: trips.dynamodb,
      aim: { atMost: 2 },
    }),
    row({ measure: measure("to the inbox, in sequence"), unit: "round trips", ours: trips.sqs }),
    row({ measure: measure("to Twilio, in sequence"), unit: "round trips", ours: trips.twilio }),
    row({ measure: measure("all, in sequence"), unit: "round trips", ours: all }),
    row({
      measure: measure("sent by then, also beside"),
      unit: "requests",
      ours: middle(usual, ({ requests }) => requests),
    }),
    row({ measure: measure("own work"), unit: "ms", ours: middle(usual, ({ own }) => own) }),
  ];
}

async function tripsTo(service: Service, usual: Passage[], bundles: Bundles, effort: Effort): Promise<number> {
  const delays = { ...USUAL, [service]: (USUAL[service] ?? 0) + DELAY_MS };
  const delayed = await passagesWith(delays, bundles, effort);
  const total = ({ total }: Passage) => total;
  return roundTripsInSequence(middle(usual, total), middle(delayed, total), DELAY_MS);
}

async function passagesWith(delays: Delays, bundles: Bundles, { firings, warmUps }: Effort): Promise<Passage[]> {
  const world = await startWorld({ subaccounts: warmUps + firings, delays });
  try {
    const plan = {
      usageTrigger: bundles.handlers["usage-trigger"],
      respond: bundles.handlers["respond"],
      inbox: world.inbox,
      accounts: world.accounts,
    };
    const report = await runProcess(FIRINGS, [JSON.stringify(plan)], world.environment);
    return z
      .parse(Firings, report)
      .slice(warmUps)
      .map((firing) => passageOf(firing, world));
  } finally {
    await world.close();
  }
}

function passageOf({ accountSid, webhook, respond }: Firing, { proxies }: World): Passage {
  const suspending = suspendRequest(accountSid, proxies.twilio);
  const spans = [webhook, { begun: respond.begun, ended: suspending.begun }] as const;
  const exchanges = Object.values(proxies).flatMap((proxy) => proxy.exchanges);
  return {
    webhook: spans[0],
    respond: spans[1],
    total: sum(spans.map(lengthOf)),
    own: sum(spans.map((span) => ownMs(span, exchanges))),
    requests: sum(spans.map((span) => begunBetween(span, exchanges).length)),
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const middle = (passages: readonly Passage[], value: (passage: Passage) => number) => median(passages.map(value));
