import type { Alert } from "../../../lib/alerts/alert.ts";
import type { Notice } from "../../../lib/alerts/notice.ts";
import { jsonLog } from "../../../lib/log.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { policyOf } from "../../support/policies.ts";
import {
  type Defect,
  operatorContainer,
  PUBLIC_URL,
  QUEUES,
  respondContainer,
  type Surrounding,
  shardContainer,
  sweepContainer,
  TIMEOUTS,
  type Wished,
  webhookContainer,
} from "../core.ts";
import { type Aws, memoryAws } from "./aws.ts";
import { type Faults, faultsIn, type Run } from "./faults.ts";
import { type Lambda, lambda, poll } from "./lambda.ts";
import { memoryQueue, type Queue } from "./queue.ts";
import { type Observers, observers, type Webhook } from "./seen.ts";
import { memoryTable, type Table } from "./table.ts";
import { type Thief, thiefOf, webhookIn } from "./thief.ts";
import { ownTime, type Time } from "./time.ts";
import { API_URL, memoryTwilio, type Twilio } from "./twilio.ts";

/** How one history's world is set up. */
export interface Setting {
  accounts: number;
  /** How many accounts may be suspended within ten minutes. */
  brake: number;
  tampering: "alert" | "suspend";
  unlisted: "alert" | "suspend";
}

/** Everything that a history happens in. */
export interface World {
  setting: Setting;
  time: Time;
  faults: Faults;
  twilio: Twilio;
  thief: Thief;
  table: Table;
  queues: Readonly<Record<keyof typeof QUEUES, Queue>>;
  seen: Observers;
  functions: Readonly<Record<FunctionName, Pick<Lambda<unknown>, "plan" | "forgetPlans" | "redeploy">>>;
  /** What is deployed now. */
  policy(): Policy;
  deploy(rules: Rules): void;
  /** How Twilio's webhooks reach us from now on. */
  deliver(how: Delivery): void;
  /** Those that were held back arrive now. */
  deliverLate(): void;
  post(request: Request, webhook: Webhook): Promise<number>;
  sweep(): Promise<void>;
  ask(wish: Wished): ReturnType<ReturnType<typeof operatorContainer>>;
  /** 1, 2, 3, ... */
  count(): number;
  /** What was written to the logs, and what was published, as text. */
  outputs: string[];
  surroundings: { hosts: Record<string, (url: URL, init: RequestInit) => Promise<Response>>; time: Time };
  close(): void;
}

export const FUNCTIONS = ["respond", "webhook", "sweep", "shard"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export interface Rules {
  mode: "enforce" | "observe";
  /** Which account is exempt, by its number. */
  exempt: number | null;
}

export type Delivery = "deliver" | "lose" | "twice" | "late";

const START = Date.parse("2026-11-21T09:00:00.000Z");
/** As in serverless.yml. */
const VISIBILITY_MS = { inbox: 30_000, followUp: 150_000, sweep: 75_000 };
const MOST_RECEIVES = { inbox: 150, followUp: 50, sweep: 3 };
const MOST_AT_ONCE = 2;

export function makeWorld(setting: Setting, defect: Defect = {}): World {
  const time = ownTime(START);
  const faults = faultsIn(time);
  const seen = observers();
  const outputs: string[] = [];
  const table = memoryTable();
  const queues = makeQueues(time);
  const twilio = memoryTwilio({ time, faults, seen, accounts: setting.accounts });
  const thief = thiefOf(twilio, time);
  let policy = policyFor(setting, twilio.sids, { mode: "enforce", exempt: null });

  const log = jsonLog((line) => {
    outputs.push(line);
    seen.tell({ what: "logged", line });
  });
  const published = (message: string) => {
    outputs.push(message);
    const alert: Alert | Notice = JSON.parse(message);
    seen.tell({ what: "published", alert, run: faults.running() });
  };
  const aws: Aws = memoryAws({ faults, table, queues: Object.values(queues), published });
  const around = (): Surrounding => ({ aws, clock: time.clock, log, policy, parentSid: twilio.parentSid });
  const onEnd = (run: Run, how: "returned" | "threw" | "killed") => seen.tell({ what: "run-ended", run, how });
  const common = { time, faults, deployed: () => policy, onEnd };

  const respond = lambda({
    ...common,
    ...{ name: "respond", timeoutMs: TIMEOUTS.respond, coldStart: () => respondContainer(around(), defect) },
  });
  const webhook = lambda({
    ...common,
    ...{ name: "webhook", timeoutMs: TIMEOUTS.webhook, coldStart: () => webhookContainer(around(), defect) },
  });
  const sweep = lambda({
    ...common,
    ...{ name: "sweep", timeoutMs: TIMEOUTS.sweep, coldStart: () => sweepContainer(around(), table) },
  });
  const shard = lambda({
    ...common,
    ...{ name: "shard", timeoutMs: TIMEOUTS.sweep, coldStart: () => shardContainer(around()) },
  });
  const operators = lambda({
    ...common,
    ...{ name: "operators", timeoutMs: TIMEOUTS.operators, coldStart: () => operatorContainer(around(), table) },
  });
  poll({
    ...{ queue: queues.inbox, time, function: respond, atOnce: MOST_AT_ONCE },
    handle: ({ fromInbox }, event, left) => fromInbox(event, { getRemainingTimeInMillis: left }),
  });
  poll({
    ...{ queue: queues.followUp, time, function: respond, atOnce: MOST_AT_ONCE },
    handle: ({ fromFollowUps }, event, left) => fromFollowUps(event, { getRemainingTimeInMillis: left }),
  });
  poll({
    ...{ queue: queues.sweep, time, function: shard, atOnce: MOST_AT_ONCE },
    handle: (receive, event, left) => receive(event, { getRemainingTimeInMillis: left }),
  });

  table.onWrite((item) => seen.tell({ what: "written", item, run: faults.running() }));
  faults.onFault((fault) => seen.tell({ what: "fault", fault }));

  // ── the way in for webhooks ──
  let delivery: Delivery = "deliver";
  const heldBack: (() => void)[] = [];

  async function post(request: Request, about: Webhook): Promise<number> {
    let run: Run | undefined;
    const answer = await faults.outside(() =>
      webhook.invoke((app) => {
        run = faults.running();
        return Promise.resolve(app.fetch(request));
      }),
    );
    const status = answer?.status ?? 0;
    seen.tell({ what: "webhook", webhook: about, status, run });
    return status;
  }

  async function fromTwilio(url: URL, init: RequestInit): Promise<Response> {
    const form = Object.fromEntries(new URLSearchParams(String(init.body)));
    const isThiefs = thief.triggers.has(form["UsageTriggerSid"] ?? "");
    const by = isThiefs ? "thief's-trigger" : "twilio";
    const about = webhookIn(form["AccountSid"] ?? "", by, form, url, time.now());
    const send = () => post(new Request(url, init), about);
    switch (delivery) {
      case "lose":
        return new Response(null, { status: 404 });
      case "late":
        heldBack.push(() => void send());
        return new Response(null, { status: 204 });
      case "twice": {
        const [first] = await Promise.all([send(), send()]);
        return answered(first);
      }
      case "deliver":
        return answered(await send());
    }
  }

  let counted = 0;
  return {
    count: () => ++counted,
    ...{ setting, time, faults, twilio, thief, table, queues, seen, outputs, post },
    functions: { respond, webhook, sweep, shard },
    policy: () => policy,
    deploy(rules) {
      policy = policyFor(setting, twilio.sids, rules);
      for (const one of [respond, webhook, sweep, shard, operators]) one.redeploy();
    },
    deliver(how) {
      delivery = how;
    },
    deliverLate() {
      for (const send of heldBack.splice(0)) send();
    },
    async sweep() {
      await sweep.invoke((start, left) => start(left()));
    },
    async ask(wish) {
      const outcome = await operators.invoke((accept) => accept(wish));
      if (outcome === undefined) throw new Error("nobody answered the operator");
      return outcome;
    },
    surroundings: { hosts: { [API_URL]: twilio.fetch, [PUBLIC_URL]: fromTwilio }, time },
    close: () => twilio.close(),
  };
}

/** 502 is what the gateway says of a function that died. */
function answered(status: number): Response {
  return new Response(null, { status: status === 0 ? 502 : status });
}

function makeQueues(time: Time): World["queues"] {
  const inboxDeadLetters = memoryQueue({ ...quiet, name: QUEUES.inboxDeadLetters, time, isFifo: true });
  const followUpDeadLetters = memoryQueue({ ...quiet, name: QUEUES.followUpDeadLetters, time, isFifo: false });
  return {
    inboxDeadLetters,
    followUpDeadLetters,
    inbox: memoryQueue({
      ...{ name: QUEUES.inbox, time, isFifo: true, visibilityMs: VISIBILITY_MS.inbox },
      givingUp: { after: MOST_RECEIVES.inbox, to: inboxDeadLetters },
    }),
    followUp: memoryQueue({
      ...{ name: QUEUES.followUp, time, isFifo: false, visibilityMs: VISIBILITY_MS.followUp },
      givingUp: { after: MOST_RECEIVES.followUp, to: followUpDeadLetters },
    }),
    sweep: memoryQueue({
      ...{ name: QUEUES.sweep, time, isFifo: false, visibilityMs: VISIBILITY_MS.sweep },
      // The next sweep has a shard of the same accounts: nobody looks at them.
      givingUp: {
        after: MOST_RECEIVES.sweep,
        to: memoryQueue({ ...quiet, name: "tollbreaker-sweep-dead-letters", time, isFifo: false }),
      },
    }),
  };
}

const quiet = { visibilityMs: VISIBILITY_MS.inbox };

function policyFor({ brake, tampering, unlisted }: Setting, sids: readonly string[], rules: Rules): Policy {
  const exempt = rules.exempt === null ? undefined : sids[rules.exempt];
  return policyOf(`
mode: ${rules.mode}
tampering: ${tampering}
unlisted: ${unlisted}
limits:
  warning: { category: totalprice, by: price, every: day, at: ${WARNING_AT}, then: alert }
  spend: { category: totalprice, by: price, every: day, at: ${SPEND_AT}, then: suspend }
brake: { suspensions: ${brake}, within: 10m }
probation: { share: ${PROBATION_SHARE}, for: 24h }
${exempt === undefined ? "" : `exempt: [{ account: ${exempt}, why: emergency line }]`}
`);
}

const WARNING_AT = 80;
export const SPEND_AT = 100;
export const PROBATION_SHARE = 0.25;
