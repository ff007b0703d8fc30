import * as z from "zod/mini";
import { TollbreakerError } from "../../lib/errors.ts";
import { type AccountControls, accountControls } from "./account-controls.ts";
import { setStatus } from "./accounts.ts";
import type { AttackReport } from "./attacks/report.ts";
import { Attack, type AttackOrder, type RunningAttack, startAttack } from "./attacks.ts";
import { type BillingGlitchOrder, type GlitchReport, glitchBilling } from "./billing-glitch.ts";
import { type ErrorControls, errorControls } from "./error-controls.ts";
import type { ErrorCarrier, ErrorDeliveryOptions } from "./error-delivery.ts";
import { type ArmedFault, Fault, type FaultOrder, type Faults } from "./faults.ts";
import { type Delivery, evaluateTriggers, type FiringOptions, fireTrigger } from "./firing.ts";
import { dayOf, today } from "./gmt.ts";
import { micros } from "./money.ts";
import type { ReceivedRequest, RequestLog } from "./request-log.ts";
import { type Account, CALL_STATUSES, parentOf, type World } from "./state.ts";
import { type AccountSummary, summaryOf } from "./summary.ts";
import { advanceCalls, putCall } from "./traffic.ts";
import { addUsage, usageOf } from "./usage.ts";
import { addCustomer, type SubaccountSeed } from "./world.ts";

const name = z.string().check(z.minLength(1));
const amount = z.number().check(z.nonnegative());

/** Usage to add to the running GMT day; the price also counts into the total. */
export const UsageOrder = z.object({
  category: z._default(name, "sms"),
  count: z._default(z.int().check(z.nonnegative()), 0),
  usage: z._default(amount, 0),
  price: z._default(amount, 0),
});
/** What a category's price of the running GMT day is to be, in the account's currency. */
export const SpendOrder = z.object({ category: z._default(name, "sms"), price: amount });
/** Calls that stay in `status` until somebody ends them. */
export const CallsOrder = z.object({
  calls: z._default(z.int().check(z.positive()), 1),
  status: z._default(z.enum(CALL_STATUSES), "in-progress"),
  to: z._default(name, "+37190000001"),
});

/** What tests, the demo and the control API can do to the simulated Twilio behind its API's back. */
export interface Controls extends AccountControls, ErrorControls {
  parent(): AccountSummary;
  /** In the order of their creation. */
  subaccounts(): AccountSummary[];
  /** @throws TollbreakerError `simulator-account-unknown`, as every method that takes an account SID does. */
  account(accountSid: string): AccountSummary;
  /** With API keys and phone numbers, as though it had been in use for months. */
  addSubaccount(seed?: SubaccountSeed): AccountSummary;
  /** Starts an attack; one that runs on the same account is stopped. Times and prices: see `Attack`. */
  startAttack(accountSid: string, attack: AttackOrder): AttackReport;
  stopAttack(accountSid: string): void;
  /** Of every attack since the start, oldest first. */
  attacks(): AttackReport[];
  /** Makes today's figures of every active subaccount wrong at once. */
  startBillingGlitch(order?: BillingGlitchOrder): GlitchReport;
  addUsage(accountSid: string, usage: z.input<typeof UsageOrder>): void;
  setSpend(accountSid: string, spend: z.input<typeof SpendOrder>): void;
  /** @returns the new calls' SIDs. */
  addCalls(accountSid: string, order: z.input<typeof CallsOrder>): string[];
  /** The status, without any of the API's rules: the parent's too. */
  setStatus(accountSid: string, status: Account["status"]): void;
  /** Suspends as Twilio's fraud team would: no status update through the API is accepted any more (21478). */
  suspendByTwilio(accountSid: string): void;
  /** @returns the new primary auth token; the old one is worthless at once. */
  rotateAuthToken(accountSid: string): string;
  /** Lets `milliseconds` of traffic, attacks and calls happen now, without evaluating triggers. */
  advance(milliseconds: number): void;
  /** Fires the triggers that are due; resolves when their callbacks were delivered or given up. */
  evaluateTriggers(): Promise<void>;
  /** Fires this trigger whatever its value and whether or not it has fired before. */
  fireTrigger(accountSid: string, usageTriggerSid: string): Promise<void>;
  addFault(fault: FaultOrder): ArmedFault;
  faults(): readonly ArmedFault[];
  clearFaults(): void;
  /** The last requests, oldest first. */
  requests(): ReceivedRequest[];
  requestCounts(): Record<string, number>;
  resetRequests(): void;
  /** The last attempts to call a CallbackUrl, oldest first. */
  deliveries(): Delivery[];
  resetDeliveries(): void;
}

export interface ControlParts {
  world: World;
  faults: Faults;
  requests: RequestLog;
  firing: FiringOptions;
  carrier: ErrorCarrier;
  errorDeliveries: ErrorDeliveryOptions["deliveries"];
  /** Lets real milliseconds of ordinary traffic happen. */
  ordinary: (elapsed: number) => void;
}

export function createControls(parts: ControlParts): Controls {
  const { world, faults, requests, firing, ordinary, carrier, errorDeliveries: deliveries } = parts;
  const account = (sid: string) => knownAccount(world, sid);
  return {
    parent: () => summaryOf(world, parentOf(world)),
    subaccounts: () => [...world.accounts.values()].slice(1).map((one) => summaryOf(world, one)),
    account: (sid) => summaryOf(world, account(sid)),
    addSubaccount: (seed = {}) => summaryOf(world, addCustomer(world, seed)),
    ...accountControls(world, account),
    ...usageControls(world),
    setStatus: (sid, status) => setStatus(world, account(sid), status),
    suspendByTwilio: (sid) => {
      account(sid).suspendedByTwilio = true;
      setStatus(world, account(sid), "suspended");
    },
    rotateAuthToken: (sid) => {
      account(sid).authToken = world.random.hex();
      world.changed();
      return account(sid).authToken;
    },
    ...attackControls(world, ordinary),
    ...errorControls({ world, carrier, deliveries, account }),
    startBillingGlitch: (order = {}) => glitchBilling(world, order),
    evaluateTriggers: () => evaluateTriggers(world, firing),
    fireTrigger: (sid, trigger) => fireTrigger(world, account(sid), knownTrigger(account(sid), trigger), firing),
    addFault: (fault) => faults.add(z.parse(Fault, fault)),
    faults: () => faults.list(),
    clearFaults: () => faults.clear(),
    requests: () => requests.recent.items(),
    requestCounts: () => requests.counts(),
    resetRequests: () => requests.reset(),
    deliveries: () => firing.deliveries.items(),
    resetDeliveries: () => firing.deliveries.reset(),
  };
}

type UsageControls = Pick<Controls, "addUsage" | "setSpend" | "addCalls">;

function usageControls(world: World): UsageControls {
  const add = (sid: string, order: z.output<typeof UsageOrder>) =>
    addUsage(knownAccount(world, sid).ledger, dayOf(world.clock.now()), [order.category], {
      count: order.count,
      usage: micros(order.usage),
      price: micros(order.price),
    });
  return {
    addUsage: (sid, order) => add(sid, z.parse(UsageOrder, order)),
    setSpend: (sid, order) => {
      const { category, price } = z.parse(SpendOrder, order);
      const spent = usageOf(knownAccount(world, sid).ledger, category, today(world.clock.now())).price / 1_000_000;
      add(sid, { category, price: price - spent, count: 0, usage: 0 });
    },
    addCalls: (sid, order) => {
      const { calls, status, to } = z.parse(CallsOrder, order);
      const call = { to, status, pricePerMinute: 0, course: null };
      return Array.from({ length: calls }, () => putCall(world, knownAccount(world, sid), call).sid);
    },
  };
}

type AttackControls = Pick<Controls, "startAttack" | "stopAttack" | "attacks" | "advance">;

function attackControls(world: World, ordinary: (elapsed: number) => void): AttackControls {
  const attacks: RunningAttack[] = [];
  const running = () => attacks.filter(({ report }) => report.running);
  const stop = (sid: string) => {
    for (const { report } of running()) if (report.accountSid === sid) report.running = false;
  };
  return {
    startAttack: (sid, order) => {
      const attack = startAttack(world, knownAccount(world, sid), z.parse(Attack, order));
      stop(sid);
      attacks.push(attack);
      return attack.report;
    },
    stopAttack: stop,
    attacks: () => attacks.map(({ report }) => report),
    advance: (milliseconds) => {
      ordinary(milliseconds);
      for (const attack of running()) attack.advance(milliseconds);
      advanceCalls(world, milliseconds);
    },
  };
}

function knownAccount(world: World, sid: string): Account {
  const account = world.accounts.get(sid);
  if (account !== undefined) return account;
  throw new TollbreakerError("simulator-account-unknown", "The simulator has no such account.", {
    expected: "the SID of the parent or of one of its subaccounts",
    got: sid,
    fix: "GET /simulator lists them all",
  });
}

function knownTrigger(account: Account, sid: string) {
  const trigger = account.triggers.get(sid);
  if (trigger !== undefined) return trigger;
  throw new TollbreakerError("simulator-trigger-unknown", "The simulated account has no such usage trigger.", {
    expected: `one of the ${account.triggers.size} triggers of ${account.sid}`,
    got: sid,
  });
}
