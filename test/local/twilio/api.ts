import { type SimulatorOptions, startTwilioSimulator, type TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { assertAnswer, assertRequest } from "../../contract/twilio-openapi.ts";

export interface Credentials {
  accountSid: string;
  authToken: string;
}

export interface Answer {
  status: number;
  body: ReturnType<typeof JSON.parse>;
}

/** A simulator in which nothing happens by itself. */
export function quietSimulator(options: SimulatorOptions = {}): Promise<TwilioSimulator> {
  return startTwilioSimulator({
    seed: "test",
    subaccounts: 3,
    evaluateEveryMs: 0,
    trafficEveryMs: 0,
    ordinaryTraffic: false,
    webhookRetryMs: 1,
    ...options,
  });
}

/** Calls the simulated API over HTTP; each request and answer is checked against Twilio's OpenAPI file. */
export function apiOf(simulator: TwilioSimulator, credentials: Credentials = simulator.parent()) {
  const call = async (method: string, path: string, form?: Record<string, string>): Promise<Answer> => {
    const answer = await send(simulator, credentials, method, path, form);
    if (answer.status < 400) assertRequest(method, path, form);
    assertAnswer(method, path.split("?")[0] ?? path, answer.status, answer.body);
    return answer;
  };
  return {
    get: (path: string) => call("GET", path),
    post: (path: string, form: Record<string, string> = {}) => call("POST", path, form),
    delete: (path: string) => call("DELETE", path),
  };
}

/** The same request without any check of the answer. */
export async function send(
  simulator: TwilioSimulator,
  { accountSid, authToken }: Credentials,
  method: string,
  path: string,
  form?: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${simulator.url}/${productOf(path)}${path}`, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}` },
    body: form === undefined ? null : new URLSearchParams(form),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** https://<product>.twilio.com/<path> is <base>/<product>/<path> here. */
function productOf(path: string): string {
  if (path.startsWith("/2010-04-01/")) return "api";
  if (path.startsWith("/v1/AuthTokens/")) return "accounts";
  if (path.startsWith("/v1/Keys")) return "iam";
  return /^\/v1\/(DialingPermissions|Settings)/.test(path) ? "voice" : "events";
}

export const accountPath = (sid: string, rest = ""): string => `/2010-04-01/Accounts/${sid}${rest}.json`;

/** The nth subaccount. @throws Error when there are not so many. */
export function subaccount(simulator: TwilioSimulator, nth = 0): Credentials {
  const found = simulator.subaccounts()[nth];
  if (found === undefined) throw new Error(`The simulator has no subaccount number ${nth}.`);
  return found;
}
