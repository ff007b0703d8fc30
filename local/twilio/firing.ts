import { randomUUID } from "node:crypto";
import pLimit from "p-limit";
import { parseForm, signForm } from "../../lib/twilio/signature.ts";
import { dayOf, rfc2822 } from "./gmt.ts";
import { longDecimal, type Micros, shortDecimal } from "./money.ts";
import { currentValue, hasFiredInThisPeriod } from "./recurrence.ts";
import type { Ring } from "./ring.ts";
import {
  type Attempt,
  type DeliveryOutcome,
  deliver,
  type Sending,
  type SignedRequest,
  USER_AGENT,
  withoutFragment,
  withQuery,
} from "./sending.ts";
import type { Account, UsageTrigger, World } from "./state.ts";
import { usageRecordUri } from "./usage-triggers.ts";

/** One attempt to call a trigger's CallbackUrl. */
export interface Delivery extends Attempt {
  accountSid: string;
  usageTriggerSid: string;
  /** The ten documented parameters. */
  form: Record<string, string>;
}

export interface FiringOptions extends Pick<Sending, "timeout" | "retryAfter" | "closing"> {
  /** Whether a trigger of a suspended account is evaluated; how Twilio does it is not documented. */
  evaluateSuspended: boolean;
  deliveries: Ring<Delivery>;
}

// "will quickly retry the callback URL three times after a 5xx error"
const RETRIES_AFTER_5XX = 3;
// The general default of Twilio's webhooks: rc=1, rp=ct. https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
const RETRIES_AFTER_NO_CONNECTION = 1;
const atOnce = pLimit(50);

/**
 * Fires every trigger that has reached its value and has not yet fired in its period, and resolves when their
 * callbacks were delivered or given up. A trigger counts as fired before its callback is sent: "at most once".
 */
export async function evaluateTriggers(world: World, options: FiringOptions): Promise<void> {
  const due = [...world.accounts.values()].flatMap((account) => dueTriggers(world, account, options));
  await Promise.all(due.map(({ account, trigger }) => fireTrigger(world, account, trigger, options)));
}

function dueTriggers(world: World, account: Account, { evaluateSuspended }: FiringOptions) {
  const evaluated = account.status === "active" || (account.status === "suspended" && evaluateSuspended);
  const now = world.clock.now();
  return [...account.triggers.values()]
    .filter((trigger) => evaluated && isDue(account, trigger, now))
    .map((trigger) => ({ account, trigger }));
}

function isDue(account: Account, trigger: UsageTrigger, now: Date): boolean {
  return !hasFiredInThisPeriod(trigger, now) && currentValue(account, trigger, now) >= trigger.triggerValue;
}

/** Fires `trigger` now, whatever its value: the control API uses it to repeat a firing. */
export async function fireTrigger(
  world: World,
  account: Account,
  trigger: UsageTrigger,
  options: FiringOptions,
): Promise<void> {
  const now = world.clock.now();
  trigger.dateFired = now;
  world.changed();
  const form = firingForm(account, trigger, { now, current: currentValue(account, trigger, now) });
  await atOnce(() => callBack(world, { account, trigger, form, idempotencyToken: randomUUID() }, options));
}

function firingForm(account: Account, trigger: UsageTrigger, { now, current }: { now: Date; current: Micros }) {
  return {
    AccountSid: account.sid,
    UsageTriggerSid: trigger.sid,
    DateFired: rfc2822(now),
    Recurring: trigger.recurring ?? "",
    UsageCategory: trigger.usageCategory,
    TriggerBy: trigger.triggerBy,
    TriggerValue: longDecimal(trigger.triggerValue),
    CurrentValue: shortDecimal(current),
    UsageRecordUri: usageRecordUri(account, trigger.usageCategory),
    IdempotencyToken: `${account.sid}-FIRES-${trigger.sid}-${dayOf(now)}`,
  };
}

interface Firing {
  account: Account;
  trigger: UsageTrigger;
  form: Record<string, string>;
  /** The I-Twilio-Idempotency-Token header: the same for each retry. */
  idempotencyToken: string;
}

function callBack(world: World, firing: Firing, options: FiringOptions): Promise<void> {
  const { account, trigger, form } = firing;
  return deliver(
    () => signedRequest(firing),
    { ...options, clock: world.clock, retries: retriesAfter },
    (attempt) => options.deliveries.push({ ...attempt, accountSid: account.sid, usageTriggerSid: trigger.sid, form }),
  );
}

function retriesAfter(outcome: DeliveryOutcome): number {
  switch (outcome.kind) {
    case "answered":
      return outcome.status >= 500 ? RETRIES_AFTER_5XX : 0;
    case "not-connected":
      return RETRIES_AFTER_NO_CONNECTION;
    case "timed-out":
      return 0;
  }
}

// A callback by GET carries its parameters in the query, which is part of the signed URL.
function signedRequest({ account, trigger, form, idempotencyToken }: Firing): SignedRequest {
  const encoded = new URLSearchParams(form).toString();
  const isGet = trigger.callbackMethod === "GET";
  const url = isGet ? withQuery(withoutFragment(trigger.callbackUrl), encoded) : withoutFragment(trigger.callbackUrl);
  const body = isGet ? "" : encoded;
  const headers = {
    ...(!isGet && { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }),
    "user-agent": USER_AGENT,
    "x-twilio-signature": signForm(account.authToken, { url, form: parseForm(body) }),
    "i-twilio-idempotency-token": idempotencyToken,
  };
  return { url, method: trigger.callbackMethod, headers, body: isGet ? null : body };
}
