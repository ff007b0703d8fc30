import { messageOf } from "../lib/errors.ts";
import { CALLBACK_PATH } from "../lib/triggers/callback.ts";
import { type Drill, drillRequest } from "../lib/webhooks/drill.ts";

/** Whether the address that Twilio is told answers as ours does. */
export type Probe = { kind: "right"; seen: string } | { kind: "wrong"; seen: string; fix: string };

/** As long as Twilio waits: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides */
const PATIENCE_MS = 15_000;

/** Nothing unsigned may get in, and nothing in front of us may answer in our place. */
export async function probeUnsigned(publicUrl: string, accountSid: string): Promise<Probe> {
  const answer = await send(
    new Request(`${publicUrl.replace(/\/+$/, "")}${CALLBACK_PATH}`, {
      method: "POST",
      body: new URLSearchParams({ AccountSid: accountSid }),
      redirect: "manual",
    }),
  );
  if (answer.kind === "none") return unreachable(answer.why);
  const { status, text } = answer;
  if (status === 403 && text === "") return { kind: "right", seen: "an unsigned request is refused (403)" };
  const seen = `an unsigned request is answered with ${status}${text === "" ? "" : " and a body"}`;
  return { kind: "wrong", seen, fix: `${UNSIGNED_FIXES.get(status) ?? NOT_OURS} (expected: 403 and no body)` };
}

const NOT_OURS = "something else answers there: check PUBLIC_URL, and what stands in front of it";
const UNSIGNED_FIXES: ReadonlyMap<number, string> = new Map([
  [204, "it takes requests that nobody signed: do not use it, and check PUBLIC_URL"],
  [403, "something in front of it refuses (a firewall, a gateway), and would refuse Twilio, too: let POST through"],
  [404, "nothing is deployed under this path: check PUBLIC_URL, with its base path"],
  [429, "too many requests at once: try again in a minute"],
]);

/** A rehearsal, rightly signed: 204 says that it is in the inbox. */
export async function probeSigned(drill: Drill): Promise<Probe> {
  const answer = await send(drillRequest(drill));
  if (answer.kind === "none") return unreachable(answer.why);
  const { status } = answer;
  if (status === 204) return { kind: "right", seen: "a rightly signed rehearsal is taken (204)" };
  const seen = `a rightly signed rehearsal is answered with ${status}`;
  return { kind: "wrong", seen, fix: `${SIGNED_FIXES.get(status) ?? NOT_OURS} (expected: 204)` };
}

const SIGNED_FIXES: ReadonlyMap<number, string> = new Map([
  [
    403,
    "the signature was not accepted: PUBLIC_URL must be letter by letter what is deployed, the auth token the same; this machine's clock must be right to 15 minutes; and what is deployed must know rehearsals",
  ],
  [404, "nothing is deployed under this path: check PUBLIC_URL, with its base path"],
  [429, "too many requests at once: try again in a minute"],
  [
    503,
    "it could not be stored, or the parent's auth token could not be read: look at the usage-trigger function's log",
  ],
]);

type Answered = { kind: "answered"; status: number; text: string } | { kind: "none"; why: string };

async function send(request: Request): Promise<Answered> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return { kind: "answered", status: response.status, text: await response.text() };
  } catch (thrown) {
    // fetch itself only says "fetch failed".
    return { kind: "none", why: messageOf(thrown instanceof Error && thrown.cause ? thrown.cause : thrown) };
  }
}

function unreachable(why: string): Probe {
  const fix = "check PUBLIC_URL and the network, and that it is deployed; Twilio must reach it from the internet";
  return { kind: "wrong", seen: `it cannot be reached: ${why || "no connection"}`, fix };
}
