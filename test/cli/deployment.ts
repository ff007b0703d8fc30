import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { systemClock } from "../../lib/clock.ts";
import { STATIONS } from "../../lib/drills/drill-store.ts";
import type { Message } from "../../lib/inbox/messages.ts";
import { jsonLog } from "../../lib/log.ts";
import { operatorApi } from "../../lib/operators/operator-api.ts";
import { operatorsFrom } from "../../lib/operators/operators.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { signingTokens } from "../../lib/webhooks/signing-tokens.ts";
import { usageTriggerWebhook } from "../../lib/webhooks/usage-trigger.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import { readingParts } from "../lib/operators/api-parts.ts";
import { quietSimulator } from "../local/twilio/api.ts";
import { SUSPEND_ALL } from "../support/policies.ts";
import { serve } from "./command-line.ts";

const TOKEN = "token-of-olga";

export const POLICY = `
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
`;

interface Passed {
  station: (typeof STATIONS)[number];
  at: string;
  said: string;
  isGood: boolean;
}

export type Deployment = Awaited<ReturnType<typeof startDeployment>>;

/**
 * A deployed Tollbreaker as the command line sees it: its webhook and operator API behind one address, and a simulated
 * Twilio. What comes into the inbox is kept; a rehearsal passes the stations that `responds` says.
 */
export async function startDeployment(subaccounts = 3) {
  const simulator = await quietSimulator({ subaccounts });
  const directory = await mkdtemp(join(tmpdir(), "tollbreaker-deployment-"));
  const policyFile = join(directory, "policy.yml");
  await writeFile(policyFile, POLICY);
  const { accountSid, authToken } = simulator.parent();
  const stored: Message[] = [];
  const drills = new Map<string, Passed[]>();
  const control = { responds: (): Passed[] => STATIONS.map((station) => passed(station)) };
  const app = new Hono();
  const server = await serve(getRequestListener((request) => app.fetch(request)));
  // Its address is signed over, so the webhook comes when there is one.
  app.route("/", webhookOf(simulator, server.url, { stored, drills, control }));
  app.route("/", apiOf(drills));
  return {
    ...{ simulator, stored, drills, control, policyFile, url: server.url },
    /** Of a person who deploys. */
    environment: {
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      TWILIO_API_URL: simulator.url,
      PUBLIC_URL: server.url,
      POLICY_FILE: policyFile,
      TOLLBREAKER_TOKEN: TOKEN,
    },
    setPolicy: (yaml: string) => writeFile(policyFile, yaml),
    async close() {
      await server.close();
      await simulator.close();
      await rm(directory, { recursive: true });
    },
  };
}

export function passed(station: Passed["station"], changes: Partial<Passed> = {}): Passed {
  return { station, at: new Date().toISOString(), said: `${station} said so`, isGood: true, ...changes };
}

interface Inside {
  stored: Message[];
  drills: Map<string, Passed[]>;
  control: { responds: () => Passed[] };
}

const log = jsonLog(() => {});

function apiOf(drills: Inside["drills"]) {
  const operators = [{ name: "olga", sha256: createHash("sha256").update(TOKEN).digest("hex"), role: "operator" }];
  const incidents = {
    list: async () => ({ incidents: [], next: null }),
    get: async () => undefined,
    head: async () => undefined,
  };
  return operatorApi({
    ...readingParts({ incidents, operators: operatorsFrom(async () => JSON.stringify(operators)), log }),
    drills: { read: async (drillId) => drills.get(drillId) ?? [] },
  });
}

function webhookOf(simulator: TwilioSimulator, publicUrl: string, { stored, drills, control }: Inside): Hono {
  const { accountSid, authToken } = simulator.parent();
  const parentToken = async () => authToken;
  const twilio = twilioClient({ accountSid, authToken: parentToken, apiUrl: simulator.url });
  return usageTriggerWebhook({
    publicUrl,
    tokens: signingTokens({ twilio, parentToken, clock: systemClock, log }),
    parentSid: accountSid,
    policy: SUSPEND_ALL,
    inbox: {
      async put(message) {
        stored.push(message);
        if (message.kind === "drill") drills.set(message.drillId, control.responds());
      },
    },
    clock: systemClock,
    log,
  });
}
