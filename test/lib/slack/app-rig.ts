import type { AlertOccasion } from "../../../lib/alerts/compose.ts";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import type { Sender } from "../../../lib/alerts/deliver-to-slack.ts";
import { readNotification } from "../../../lib/alerts/read-notification.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { jsonLog } from "../../../lib/log.ts";
import { appSender } from "../../../lib/slack/app-sender.ts";
import { messageStore } from "../../../lib/slack/message-store.ts";
import { slackApi } from "../../../lib/slack/web-api.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { BOT_TOKEN, CHANNEL, startSlackServer } from "../../support/slack-server.ts";
import { incident, reactivation } from "../alerts/examples.ts";

/** How long the deployed function lets one request take: to Slack, and to the table. */
const SLACK_MS = 3000;
const TABLE_MS = 1500;
const PLENTY_MS = 60_000;

export type AppRig = Awaited<ReturnType<typeof appRig>>;

/** The sender for a Slack app, between a real table and a played Slack, each behind a proxy that can fail. */
export async function appRig() {
  const table = await emptyTable();
  const slack = await startSlackServer();
  const proxy = await startFaultProxy(slack.url);
  const clock = { time: Date.parse("2026-11-21T03:05:00Z"), now: () => new Date(clock.time) };
  const lines: string[] = [];

  /** Another function, that remembers nothing of the others. */
  function sender({ channel = CHANNEL, token = BOT_TOKEN } = {}): Sender {
    return appSender({
      api: slackApi({ token, apiUrl: `${proxy.url}/api`, timeoutMs: 400 }),
      channel,
      store: messageStore(table.client, table.tableName, clock.now),
      log: jsonLog((line) => lines.push(line)),
    });
  }

  return {
    ...{ table, slack, proxy, clock, sender },
    /** @param left the milliseconds that are left, as the function that is cut off then tells them. */
    tell: (occasion: AlertOccasion, by = sender(), left = () => PLENTY_MS) => by.send(notification(occasion), left),
    /** What is left of `milliseconds`, if each request from now on takes as long as it may. */
    slowest(milliseconds: number): () => number {
      const spent = () => SLACK_MS * proxy.requests().length + TABLE_MS * table.proxy.requests().length;
      const before = spent();
      return () => milliseconds - (spent() - before);
    },
    /** What was logged since this was last asked. */
    logged: (): Record<string, unknown>[] => lines.splice(0).map((line) => JSON.parse(line)),
    /** The method's requests, in the order of their coming. */
    requests: (method: string) => slack.calls.filter((call) => call.method === method),
    async close() {
      await proxy.close();
      await slack.close();
      await table.close();
    },
  };
}

function notification(occasion: AlertOccasion) {
  return readNotification(JSON.stringify(composeAlert(occasion)));
}

export type Story = ReturnType<typeof story>;

let count = 0;

/** An incident that no other test knows, as it is told of along its way. */
export function story() {
  count += 1;
  const id = `20261121T030405123-${count.toString(36).padStart(8, "0")}`;
  const incidentUrl = `https://tollbreaker.example.com/api/incidents/${id}`;
  const at = (minute: number) => `2026-11-21T03:${String(minute).padStart(2, "0")}:00.000Z`;
  const told = (about: AlertOccasion["about"], minute: number, changes: Partial<Incident>): AlertOccasion => ({
    ...{ about, incidentUrl, at: at(minute) },
    incident: incident({ id, updatedAt: at(minute), ...changes }),
  });
  const notContained = { suspendedAt: null, containment: null } as const;
  return {
    id,
    told,
    alerted: {
      ...told("alerted", 4, { state: "alerted", because: "rule", ...notContained }),
      because: "rule" as const,
    },
    suspended: told("suspended", 5, { state: "suspended" }),
    refused: told("not-reactivated", 6, {
      reactivation: reactivation({ failure: "its API keys are still there", activatedAt: null, probationUntil: null }),
    }),
    reactivated: told("reactivated", 7, { state: "reactivated", reactivation: reactivation(), reactivatedAt: at(7) }),
    reminder: { ...told("reminder", 8, {}), note: "it has waited for a person for 3 days" },
  };
}
