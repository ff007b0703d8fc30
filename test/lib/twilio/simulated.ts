import { afterAll, beforeAll, beforeEach } from "vitest";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import { startTwilioSimulator, type TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { assertRequest } from "../../contract/twilio-openapi.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

export interface Simulated {
  readonly simulator: TwilioSimulator;
  /** Between the client and the simulator. */
  readonly proxy: FaultProxy;
  /** With the parent's credentials. */
  readonly twilio: TwilioClient;
  /** A subaccount of this test alone. */
  readonly account: string;
  /** With the subaccount's own credentials, as they are now. */
  own(): TwilioClient;
  /** The next request gets this answer, whatever it asks for; said twice, the one after it gets the second. */
  answer(status: number, body?: unknown): void;
  /** What was asked since the test began. */
  asked(): Asked[];
}

interface Asked {
  /** `POST api`: the method and whose host it is. */
  to: string;
  /** Path and query. */
  path: string;
  form: Record<string, string>;
}

/**
 * Twilio's simulator behind a proxy, for all tests of a file. Each request that was made is checked against Twilio's
 * OpenAPI files.
 */
export function simulated(): Simulated {
  let simulator: TwilioSimulator;
  let proxy: FaultProxy;
  let account: string;
  let earlier = 0;
  let scripted = 0;
  const clientOf = (accountSid: string) => {
    const { authToken } = simulator.account(accountSid);
    return twilioClient({ accountSid, authToken: async () => authToken, apiUrl: proxy.url });
  };
  const asked = () => proxy.requests().slice(earlier).map(askedOf);

  beforeAll(async () => {
    const quiet = { evaluateEveryMs: 0, trafficEveryMs: 0, ordinaryTraffic: false } as const;
    simulator = await startTwilioSimulator({ subaccounts: 0, webhookRetryMs: 1, ...quiet });
    proxy = await startFaultProxy(simulator.url);
  });
  beforeEach(() => {
    proxy.clear();
    earlier = proxy.requests().length;
    scripted = 0;
    account = simulator.addSubaccount().accountSid;
  });
  afterAll(async () => {
    await proxy.close();
    await simulator.close();
    for (const { method, ...request } of proxy.requests()) {
      const { path, form } = askedOf({ method, ...request });
      assertRequest(method, path, form);
    }
  });

  return {
    get simulator() {
      return simulator;
    },
    get proxy() {
      return proxy;
    },
    get twilio() {
      return clientOf(simulator.parent().accountSid);
    },
    get account() {
      return account;
    },
    own: () => clientOf(account),
    answer: (status, body) => {
      const made = proxy.requests().length;
      scripted = Math.max(scripted, made) + 1;
      const text = body === undefined ? "" : JSON.stringify(body);
      proxy.fail({ nth: scripted - made, times: 1, do: "answer", status, body: text });
    },
    asked,
  };
}

function askedOf({ method, path, body }: { method: string; path: string; body: string }): Asked {
  const [, product = "", rest = ""] = /^\/(\w+)(\/.*)$/.exec(path) ?? [];
  return { to: `${method} ${product}`, path: rest, form: Object.fromEntries(new URLSearchParams(body)) };
}
