import { raiseError } from "./error-events.ts";
import { micros } from "./money.ts";
import { fourDigits, pick, type Random } from "./random.ts";
import { type Account, subaccountsOf, type World } from "./state.ts";
import { sendMessage, startCall } from "./traffic.ts";

const MINUTE = 60_000;
const ORDINARY_SMS = micros(0.0079);
const ORDINARY_MINUTE = micros(0.014);

export interface OrdinaryTraffic {
  /** Of each subaccount, on average. */
  messagesPerMinute: number;
  callsPerMinute: number;
  /** Harmless lines in the debugger: a phone that is off, a customer's server that answers 500. */
  errorsPerMinute: number;
  /** How many simulated seconds pass in a real one. */
  timeFactor: number;
}

/** Lets `elapsed` real milliseconds of ordinary traffic happen on all subaccounts together. */
export function ordinaryTraffic(world: World, traffic: OrdinaryTraffic): (elapsed: number) => void {
  let messagesDue = 0;
  let callsDue = 0;
  let errorsDue = 0;
  return (elapsed) => {
    const subaccounts = subaccountsOf(world);
    const minutes = (subaccounts.length * elapsed * traffic.timeFactor) / MINUTE;
    messagesDue += minutes * traffic.messagesPerMinute;
    callsDue += minutes * traffic.callsPerMinute;
    errorsDue += minutes * traffic.errorsPerMinute;
    for (; messagesDue >= 1; messagesDue -= 1) ordinaryMessage(world, subaccounts);
    for (; callsDue >= 1; callsDue -= 1) ordinaryCall(world, subaccounts, traffic.timeFactor);
    for (; errorsDue >= 1; errorsDue -= 1) ordinaryError(world, subaccounts);
  };
}

function ordinaryMessage(world: World, subaccounts: readonly Account[]): void {
  const account = subaccounts[world.random.integer(subaccounts.length)];
  if (account === undefined) return;
  sendMessage(world, account, { to: customerNumber(world.random), price: ORDINARY_SMS });
}

function ordinaryCall(world: World, subaccounts: readonly Account[], timeFactor: number): void {
  const account = subaccounts[world.random.integer(subaccounts.length)];
  if (account === undefined) return;
  const talks = (30 + world.random.integer(210)) * 1_000;
  const course = { timeFactor, elapsed: 0, talks };
  startCall(world, account, { to: customerNumber(world.random), pricePerMinute: ORDINARY_MINUTE, course });
}

function ordinaryError(world: World, subaccounts: readonly Account[]): void {
  const account = subaccounts[world.random.integer(subaccounts.length)];
  if (account === undefined || account.status !== "active") return;
  if (world.random.integer(2) === 0)
    raiseError(world, account, { code: 30003, resourceSid: `SM${world.random.hex()}` });
  else customerServerFails(world, account);
}

// 11200 says how the customer's own server answered Twilio: the example in Twilio's documentation.
function customerServerFails(world: World, account: Account): void {
  const url = `https://voice.${account.sid.slice(2, 10)}.example.com/answer`;
  const msg = `An attempt to retrieve content from ${url} returned the HTTP status code 500`;
  raiseError(world, account, {
    code: 11200,
    resourceSid: `CA${world.random.hex()}`,
    moreInfo: { Msg: msg, msg, httpResponse: "500", url, sourceComponent: "12000" },
    webhook: {
      type: "application/json",
      request: {
        method: "POST",
        url,
        headers: {},
        parameters: { To: "+14155550100", From: customerNumber(world.random) },
      },
      response: { status_code: 500, headers: {}, body: "Internal Server Error" },
    },
  });
}

const customerNumber = (random: Random): string =>
  `+1${pick(random, ["212", "415", "617", "312"])}555${fourDigits(random)}`;
