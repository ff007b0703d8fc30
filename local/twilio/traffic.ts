import { endCall } from "./calls.ts";
import { mayCall } from "./dialing.ts";
import { type ErrorOrder, raiseError } from "./error-events.ts";
import { dayOf } from "./gmt.ts";
import type { Micros } from "./money.ts";
import { newSid } from "./random.ts";
import {
  type Account,
  type Call,
  type CallCourse,
  type CallStatus,
  isLive,
  type Message,
  type World,
} from "./state.ts";
import { addUsage, CALL_CATEGORIES, SMS_CATEGORIES } from "./usage.ts";

const MINUTE = 60_000;
const RINGS_AFTER = 1_000;
const ANSWERED_AFTER = 5_000;
const LONGEST_CALL = 4 * 60 * MINUTE; // "may stay active for up to four hours": Twilio's anti-fraud guide
const KEPT_ENDED_CALLS = 1_000;

/** Whether Twilio accepted the message or call; an account that is not active has all of them refused. */
export type Accepted = boolean;

export interface NewMessage {
  to: string;
  price: Micros;
}

export function sendMessage(world: World, account: Account, { to, price }: NewMessage): Accepted {
  if (account.status !== "active") {
    refuse(world, account, "messages", { code: 30002, resourceSid: `SM${world.random.hex()}` });
    return false;
  }
  putMessage(world, account, { to, price, errorCode: null });
  addUsage(account.ledger, dayOf(world.clock.now()), SMS_CATEGORIES, { count: 1, usage: 1_000_000, price });
  return true;
}

/** Twilio takes the message and does not deliver it: no charge, and a line in the debugger. */
export function blockMessage(world: World, account: Account, { to }: NewMessage, code: 30450 | 30453): void {
  const { sid } = putMessage(world, account, { to, price: 0, errorCode: code });
  raiseError(world, account, { code, resourceSid: sid, moreInfo: { sourceComponent: "14100" } });
}

function putMessage(world: World, account: Account, message: Pick<Message, "to" | "price" | "errorCode">): Message {
  const placed = { ...message, sid: `SM${world.random.hex()}`, from: "+14155550100", dateCreated: world.clock.now() };
  account.messages.push(placed);
  return placed;
}

// What goes on after a suspension would fill the debugger at thousands of lines a minute.
const REFUSALS_TO_A_LINE = 20;

function refuse(world: World, account: Account, what: keyof Account["refused"], error: ErrorOrder): void {
  if (account.refused[what] % REFUSALS_TO_A_LINE === 0) raiseError(world, account, error);
  account.refused[what] += 1;
}

export interface NewCall {
  to: string;
  pricePerMinute: Micros;
  /** Null for a call that stays in `status` until somebody ends it. */
  course: CallCourse | null;
  status?: CallStatus;
}

/** A call to a country that is shut off is refused with 21215, which its caller alone gets to see. */
export function startCall(world: World, account: Account, call: NewCall): Accepted {
  if (account.status !== "active") {
    refuse(world, account, "calls", { code: 20005, resourceSid: `CA${world.random.hex()}` });
    return false;
  }
  if (!mayCall(world, account, call.to)) return false;
  putCall(world, account, call);
  return true;
}

/** Puts a call on the account whatever its status: for tests that need one there. */
export function putCall(world: World, account: Account, { status = "queued", ...call }: NewCall): Call {
  const now = world.clock.now();
  const placed: Call = {
    sid: newSid(world.random, "CA", account.calls),
    from: "+14155550100",
    dateCreated: now,
    dateUpdated: now,
    status,
    startTime: status === "in-progress" ? now : null,
    endTime: null,
    minutes: 0,
    ...call,
  };
  account.calls.set(placed.sid, placed);
  return placed;
}

/**
 * Lets `elapsed` real milliseconds pass for every live call. Calls go on, and cost money, on a suspended account too.
 * Each minute is charged as it starts, where Twilio charges a call when it has ended: usage triggers could not see a
 * running toll fraud otherwise, and the simulator is there to show one.
 */
export function advanceCalls(world: World, elapsed: number): void {
  for (const account of world.accounts.values()) {
    if (account.calls.size === 0) continue;
    for (const call of account.calls.values()) if (isLive(call)) advanceCall(world, account, call, elapsed);
    forgetOldCalls(account);
  }
}

function advanceCall(world: World, account: Account, call: Call, elapsed: number): void {
  if (call.course === null) return;
  call.course.elapsed += elapsed * call.course.timeFactor;
  const talked = call.course.elapsed - ANSWERED_AFTER;
  setProgress(world, call, talked);
  chargeMinutes(world, account, call, talked);
  if (talked >= (call.course.talks ?? LONGEST_CALL)) endCall(world, call);
}

function setProgress(world: World, call: Call, talked: number): void {
  const status = talked >= 0 ? "in-progress" : talked >= RINGS_AFTER - ANSWERED_AFTER ? "ringing" : "queued";
  if (status === call.status) return;
  call.status = status;
  call.dateUpdated = world.clock.now();
  if (status === "in-progress") call.startTime = world.clock.now();
}

function chargeMinutes(world: World, account: Account, call: Call, talked: number): void {
  if (talked < 0) return;
  const begun = Math.floor(Math.min(talked, call.course?.talks ?? LONGEST_CALL) / MINUTE) + 1 - call.minutes;
  if (begun <= 0) return;
  const count = call.minutes === 0 ? 1 : 0;
  call.minutes += begun;
  addUsage(account.ledger, dayOf(world.clock.now()), CALL_CATEGORIES, {
    count,
    usage: begun * 1_000_000,
    price: begun * call.pricePerMinute,
  });
}

function forgetOldCalls(account: Account): void {
  let excess = account.calls.size - 2 * KEPT_ENDED_CALLS;
  if (excess <= 0) return;
  for (const call of account.calls.values()) {
    if (excess <= -KEPT_ENDED_CALLS) return;
    if (isLive(call)) continue;
    account.calls.delete(call.sid);
    excess -= 1;
  }
}
