import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import { loadPolicy } from "../lib/policy/load-policy.ts";
import type { Bundles } from "./bundles.ts";
import type { Effort } from "./effort.ts";
import type { Account } from "./firing.ts";
import { median } from "./median.ts";
import { type Conversation, converse } from "./processes/conversation.ts";
import { type CountingProxy, startProxy } from "./proxy.ts";
import { type Row, row } from "./row.ts";
import { suspendRequest } from "./suspend-request.ts";
import { startWorld, type World } from "./world.ts";

const FLOOD = fileURLToPath(new URL("./processes/flood.ts", import.meta.url));
const SPEND = fileURLToPath(new URL("./processes/spend.ts", import.meta.url));
const POLICY = fileURLToPath(new URL("./policy.yml", import.meta.url));

/** The rule of bench/policy.yml that the flood is about, an error that it lists, and one that no rule lists. */
const RULE = "sms-pumping";
const LISTED = 30450;
const UNLISTED = 30007;
/** Warm debugger functions that the flood is shared out to. */
const FUNCTIONS = 4;
/** For each function: three to find or begin the window, one error over the count, three to tell of the crossing. */
const BESIDE_COUNTING = 7 * FUNCTIONS;

const Report = z.object({ sent: z.number(), cpuMicroseconds: z.number(), ended: z.number() });
type Report = z.infer<typeof Report>;

/** What became of a flood of one account, in the middle of which its spend fired. */
interface Flooded {
  report: Report;
  /** Of the debugger function, reads included. */
  storeRequests: number;
  /** In the inbox, that tell of the errors. */
  messages: number;
  /** Milliseconds from the webhook of the usage trigger to the suspend request. */
  suspendedAfter: number;
}

/**
 * A flood of errors of one account, as fast as the machine sends them, through the built debugger function. Meanwhile
 * the spend of the same account fires: that must not have to wait for them.
 */
export async function measureErrorFlood(bundles: Bundles, effort: Effort): Promise<Row[]> {
  const { warmUps, shortFloods, shortFlood, flood } = effort;
  const scene = await setScene(bundles, warmUps + 2 * shortFloods + 1);
  try {
    for (let count = 0; count < warmUps; count++) await fire(scene.nextAccount(), scene);
    const [quiet, floods, refused, unlisted]: [number[], Flooded[], number[], number[]] = [[], [], [], []];
    for (let round = 0; round < shortFloods; round++) {
      const bystander = scene.nextAccount();
      quiet.push(await fire(bystander, scene));
      floods.push(await floodAndFire(scene.nextAccount(), shortFlood, scene));
      refused.push(await costOfEach({ ...bystander, authToken: "forged" }, LISTED, shortFlood, scene));
      unlisted.push(await costOfEach(bystander, UNLISTED, shortFlood, scene));
    }
    const counted = await floodAndFire(scene.nextAccount(), flood, scene);
    const suspendedAfter = [...floods, counted].map((each) => each.suspendedAfter);
    return rowsOf(counted, { suspendedAfter, quiet, refused, unlisted });
  } finally {
    await scene.close();
  }
}

interface Medians {
  suspendedAfter: number[];
  quiet: number[];
  /** Microseconds of processor time for each webhook. */
  refused: number[];
  unlisted: number[];
}

function rowsOf(counted: Flooded, { suspendedAfter, quiet, refused, unlisted }: Medians): Row[] {
  const { report, storeRequests, messages } = counted;
  const measure = (what: string) => `flood of errors of one account: ${what}`;
  const perSecond = (microseconds: number) => 1e6 / microseconds;
  const each = microsecondsOf(report);
  const needed = loadPolicy({ POLICY_FILE: POLICY }).errors[RULE]?.count ?? Number.NaN;
  return [
    row({
      measure: measure(`${report.sent.toLocaleString("en")} on one core`),
      unit: "per CPU second",
      ours: perSecond(each),
      peer: { name: "refused: wrong signature", value: perSecond(median(refused)) },
    }),
    row({
      measure: measure("own work for each"),
      unit: "µs",
      ours: each,
      peer: { name: "an error of no rule", value: median(unlisted) },
    }),
    row({
      measure: measure("to the store, in all"),
      unit: "requests",
      ours: storeRequests,
      aim: { atMost: 2 * needed + BESIDE_COUNTING },
    }),
    row({ measure: measure("in the inbox, in all"), unit: "messages", ours: messages, aim: { atMost: 1 } }),
    row({
      measure: measure("its usage trigger's webhook to suspend request"),
      unit: "ms",
      ours: median(suspendedAfter),
      peer: { name: "without a flood", value: median(quiet) },
    }),
  ];
}

interface Scene {
  world: World;
  /** Before the debugger function alone. */
  store: CountingProxy;
  flooder: Conversation;
  spender: Conversation;
  nextAccount(): Account;
  close(): Promise<void>;
}

async function setScene(bundles: Bundles, subaccounts: number): Promise<Scene> {
  const world = await startWorld({ subaccounts });
  const store = await startProxy(world.environment["AWS_ENDPOINT_URL_DYNAMODB"] ?? "");
  const flooder = converse({
    script: FLOOD,
    parameters: [bundles.handlers["debugger"] ?? "", String(FUNCTIONS)],
    environment: { ...world.environment, AWS_ENDPOINT_URL_DYNAMODB: store.url },
  });
  const plan = {
    usageTrigger: bundles.handlers["usage-trigger"],
    respond: bundles.handlers["respond"],
    inbox: world.inbox,
  };
  const { environment } = world;
  const spender = converse({ script: SPEND, parameters: [JSON.stringify(plan)], environment });
  const accounts = world.accounts.values();
  return {
    world,
    store,
    flooder,
    spender,
    nextAccount() {
      const { value } = accounts.next();
      if (value === undefined) throw new RangeError("The simulated Twilio has too few subaccounts.");
      return value;
    },
    async close() {
      flooder.close();
      spender.close();
      await store.close();
      await world.close();
    },
  };
}

/** @returns milliseconds from the webhook to the suspend request, with the time in the queue. */
async function fire(account: Account, { spender, world }: Scene): Promise<number> {
  const { begun } = z.parse(z.object({ begun: z.number() }), await spender.ask({ fire: account }));
  return suspendRequest(account.accountSid, world.proxies.twilio).begun - begun;
}

async function floodAndFire(account: Account, events: number, scene: Scene): Promise<Flooded> {
  const { flooder, spender, store } = scene;
  const before = store.exchanges.length;
  await flooder.ask({ account, code: LISTED, events, statusCodes: [204] });
  const suspendedAfter = await fire(account, scene);
  const report = z.parse(Report, await flooder.ask("enough"));
  const kinds = z.parse(z.array(z.string()), await spender.ask({ kindsOf: account }));
  const messages = kinds.filter((kind) => kind === "error-rule").length;
  if (messages === 0) throw neverTold(account);
  return { report, storeRequests: store.exchanges.length - before, messages, suspendedAfter };
}

/** @returns microseconds of processor time for each of `events` webhooks that change nothing. */
async function costOfEach(account: Account, code: number, events: number, { flooder }: Scene): Promise<number> {
  // A forged one is 503 where its account was looked at too often just now to tell it from one signed with a new token.
  const statusCodes = code === LISTED ? [403, 503] : [204];
  await flooder.ask({ account, code, events, statusCodes });
  return microsecondsOf(z.parse(Report, await flooder.ask("enough")));
}

function microsecondsOf({ cpuMicroseconds, sent }: Report): number {
  return cpuMicroseconds / sent;
}

function neverTold({ accountSid }: Account): TollbreakerError {
  return new TollbreakerError("bench-never-told", "A flood of errors did not lead to a message in the inbox.", {
    expected: `a message that tells of ${RULE} for ${accountSid}, before its usage trigger's`,
    got: "none",
    fix: "npm run demo -- --attack sms-pumping shows the same path, step by step",
  });
}
