import { type Controls, createControls } from "../../../local/twilio/controls.ts";
import { carryErrors } from "../../../local/twilio/error-delivery.ts";
import { Faults as SimulatorFaults } from "../../../local/twilio/faults.ts";
import { RequestLog } from "../../../local/twilio/request-log.ts";
import { Ring } from "../../../local/twilio/ring.ts";
import { twilioServer } from "../../../local/twilio/server.ts";
import type { Account, UsageTrigger } from "../../../local/twilio/state.ts";
import { createWorld } from "../../../local/twilio/world.ts";
import { Fault, type Faults, forever } from "./faults.ts";
import type { Observers, StatusChange } from "./seen.ts";
import type { Time } from "./time.ts";

/** The project's simulated Twilio, without its sockets: in a history's own time, and with its faults. */
export interface Twilio extends Controls {
  parentSid: string;
  /** In the order of their creation. */
  sids: readonly string[];
  /** As Twilio has it, to be looked at. */
  known(accountSid: string): Account;
  triggers(accountSid: string): readonly UsageTrigger[];
  /** What our functions ask. */
  fetch(url: URL, init: RequestInit): Promise<Response>;
  /** What somebody else asks: at once, and always answered. */
  ask(request: Request): Promise<Response>;
  close(): void;
}

export interface TwilioParts {
  time: Time;
  faults: Faults;
  seen: Observers;
  accounts: number;
}

/** What `TWILIO_API_URL` would be. */
export const API_URL = "http://twilio.test";
/** To be found in whatever leaks it. */
export const PARENT_TOKEN = "the-parents-auth-token-0123456789";
const PARENT_SID = `AC${"f".repeat(32)}`;
const ACCOUNT_PATH = /^\/api\/2010-04-01\/Accounts\/(AC[0-9a-f]{32})\.json$/;

export function memoryTwilio({ time, faults, seen, accounts }: TwilioParts): Twilio {
  const closing = new AbortController();
  const parent = { accountSid: PARENT_SID, authToken: PARENT_TOKEN };
  const world = createWorld({ clock: time.clock, seed: "history", parent, subaccounts: accounts, changed: () => {} });
  const simulatorFaults = new SimulatorFaults(time.clock);
  const requests = new RequestLog(1);
  const sending = { retryAfter: 250, closing: closing.signal };
  const errorDeliveries = {
    ...sending,
    ...{ debuggerTimeout: 15_000, sinkTimeout: 5000, unbatched: "array" as const, deliveries: new Ring<never>(1) },
  };
  const carrier = carryErrors(world, errorDeliveries);
  const controls = createControls({
    ...{ world, faults: simulatorFaults, requests, carrier },
    firing: { ...sending, timeout: 15_000, evaluateSuspended: true, deliveries: new Ring(1) },
    errorDeliveries: errorDeliveries.deliveries,
    ordinary: () => {},
  });
  const app = twilioServer({ world, faults: simulatorFaults, requests, controls, carrier });
  const sids = controls.subaccounts().map(({ accountSid }) => accountSid);

  function known(accountSid: string): Account {
    const account = world.accounts.get(accountSid);
    if (account === undefined) throw new Error(`there is no account ${accountSid}`);
    return account;
  }

  const changed = (change: StatusChange) => seen.tell({ what: "status-changed", ...change });
  const ask = (request: Request) => time.whileWorking(Promise.resolve(app.fetch(request)));

  async function fetch(url: URL, init: RequestInit): Promise<Response> {
    const asked = statusAsked(url, init);
    const run = faults.running();
    const begunAt = time.now();
    if (asked !== undefined) seen.tell({ what: "status-asked", ...asked, run });
    const carryOut = async () => {
      const before = asked && world.accounts.get(asked.accountSid)?.status;
      const response = await ask(new Request(url, init));
      const after = asked && world.accounts.get(asked.accountSid)?.status;
      if (asked !== undefined && before !== undefined && after !== undefined && after !== before)
        changed({ accountSid: asked.accountSid, from: before, to: after, run, took: time.now() - begunAt });
      return response;
    };
    return faults.pass("twilio", carryOut).catch(answerTo);
  }

  return {
    ...controls,
    ...{ parentSid: world.parentSid, sids, known, fetch, ask },
    triggers: (accountSid) => [...known(accountSid).triggers.values()],
    setStatus(accountSid, status) {
      const from = known(accountSid).status;
      controls.setStatus(accountSid, status);
      if (from !== status) changed({ accountSid, from, to: status, run: undefined, took: 0 });
    },
    suspendByTwilio(accountSid) {
      const from = known(accountSid).status;
      controls.suspendByTwilio(accountSid);
      if (from !== "suspended") changed({ accountSid, from, to: "suspended", run: undefined, took: 0 });
    },
    close: () => closing.abort(),
  };
}

function statusAsked(url: URL, { body, method }: RequestInit): { accountSid: string; status: string } | undefined {
  const accountSid = ACCOUNT_PATH.exec(url.pathname)?.[1];
  const status = body instanceof URLSearchParams ? body.get("Status") : null;
  return accountSid === undefined || status === null || method !== "POST" ? undefined : { accountSid, status };
}

/** What the sender of a request gets that something went wrong with. */
function answerTo(error: unknown): Response | Promise<never> {
  if (!(error instanceof Fault)) throw error;
  switch (error.kind) {
    case "too-many-requests":
      return refusal(429, 20429);
    case "server-error":
      return refusal(500, 20500);
    case "unauthorized":
      return refusal(401, 20003);
    case "page":
      return new Response("<html>somebody in between</html>", { status: Math.random() < 0.5 ? 404 : 403 });
    case "outage":
      return forever();
    default:
      throw new TypeError("fetch failed", { cause: error });
  }
}

function refusal(status: number, code: number): Response {
  return Response.json({ code, message: "not now", more_info: "", status }, { status });
}
