import { serve } from "@hono/node-server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Operator } from "../../../lib/operators/operators.ts";
import { slackActions } from "../../../lib/slack/slack-actions.ts";
import { type Listening, listening } from "../../../local/listening.ts";
import { within } from "../../support/lived-time.ts";
import { patientClock } from "../../support/patient-clock.ts";
import {
  BOT_TOKEN,
  CHANNEL,
  SIGNING_SECRET,
  type SlackServer,
  signedRequest,
  startSlackServer,
  TEAM,
} from "../../support/slack-server.ts";
import { type CommandRig, commandRig, PUBLIC_URL } from "../operators/command-rig.ts";
import { incidentIn } from "../operators/incidents-in-states.ts";

const OLGA: Operator = { name: "olga", sha256: Buffer.alloc(32), role: "operator", expires: null, slack: "U0OLGA" };

/** In milliseconds; `never`: it does not answer at all. */
type Delay = number | "never";
interface Delays {
  secret: Delay;
  operators: Delay;
  token: Delay;
}

let rig: CommandRig;
let slack: SlackServer;
let server: Listening | undefined;
beforeAll(async () => {
  rig = await commandRig();
  slack = await startSlackServer();
});
afterEach(() => server?.close());
afterAll(async () => {
  await slack.close();
  await rig.close();
});

async function after<T>(delay: Delay, value: T): Promise<T> {
  return new Promise((resolve) => delay !== "never" && setTimeout(() => resolve(value), delay));
}

async function start({ secret, operators, token }: Delays): Promise<string> {
  const app = slackActions({
    ...rig.parts,
    // What a busy machine takes is none of the time that it has for all of one request.
    ...{ clock: patientClock(), publicUrl: PUBLIC_URL, apiUrl: slack.apiUrl, team: TEAM },
    signingSecret: () => after(secret, SIGNING_SECRET),
    botToken: () => after(token, BOT_TOKEN),
    operators: () => after(operators, [OLGA]),
    once: async () => true,
    noteUse: async () => {},
  });
  server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
  return `${server.url}/slack/actions`;
}

/** Presses Reactivate; the status of the answer, which comes in time. */
async function press(delays: Delays) {
  const { id } = await incidentIn(rig, { state: "suspended" });
  const url = await start(delays);
  await fetch(`${slack.apiUrl}/chat.postMessage`, {
    method: "POST",
    headers: { Authorization: `Bearer ${BOT_TOKEN}` },
    body: JSON.stringify({
      ...{ channel: CHANNEL, text: "suspended" },
      blocks: [
        {
          type: "actions",
          elements: [
            { type: "button", action_id: "reactivate", text: { type: "plain_text", text: "Reactivate" }, value: id },
          ],
        },
      ],
    }),
  });
  const message = slack.messages.at(-1);
  if (message === undefined) throw new Error("Slack did not take it");
  for (const list of [slack.views, slack.words]) list.splice(0);
  const request = signedRequest(slack.pressed(message, "reactivate", { user: "U0OLGA" }));
  return (await within(MOST_MS, fetch(url, request))).status;
}

/** Slack's three seconds, less the way there and back. */
const MOST_MS = 2500;

describe("what has to be read before anything can be done is read at once", () => {
  it("so a slow Parameter Store leaves time for the form", async () => {
    const status = await press({ secret: 1200, operators: 1200, token: 1200 });
    expect(status).toBe(200);
    expect(slack.views).toHaveLength(1);
  });

  it("and one that goes silent after the secret, for a word to the one who pressed", async () => {
    const status = await press({ secret: 1300, operators: "never", token: 0 });
    expect(status).toBe(200);
    expect(slack.words).toEqual([
      { user: "U0OLGA", text: expect.stringContaining("cannot read its list of operators") },
    ]);
  });

  it("without the secret nothing is done", async () => {
    const status = await press({ secret: "never", operators: 0, token: 0 });
    expect(status).toBe(503);
    expect(slack.views).toEqual([]);
  });
});
