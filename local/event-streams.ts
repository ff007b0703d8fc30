import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import type { TwilioSimulator } from "./twilio/simulator.ts";
import type { AccountSummary } from "./twilio/summary.ts";

const NAME = "tollbreaker: errors";
const Types = JSON.stringify({ type: "com.twilio.error-logs.error.logged", schema_version: 2 });

const Made = z.object({ sid: z.string() });
const SinkPage = z.object({
  sinks: z.array(
    z.object({
      sid: z.string(),
      description: z.string(),
      sink_configuration: z.object({ destination: z.string() }),
    }),
  ),
});
const SubscriptionPage = z.object({ subscriptions: z.array(Made) });

/**
 * Sees to it that each simulated subaccount streams its errors to us, through the API and with its own credentials, as a
 * deployer would: this API knows no other account than the caller's. A suspended one cannot be asked, and keeps what it has.
 */
export async function armEventStreams(simulator: TwilioSimulator, publicUrl: string): Promise<void> {
  const destination = `${publicUrl.replace(/\/+$/, "")}/webhooks/event-streams`;
  const active = simulator.subaccounts().filter(({ status }) => status === "active");
  for (const account of active) await arm(eventsApi(simulator, account), destination);
}

async function arm(api: EventsApi, destination: string): Promise<void> {
  const { sinks } = SinkPage.parse(await api("GET", "/Sinks?PageSize=1000"));
  const ours = sinks.filter(({ description }) => description === NAME);
  if (ours.some(({ sink_configuration }) => sink_configuration.destination === destination)) return;
  // A sink's address can't be changed, and the port may be another one than in the last run.
  for (const { sid } of ours) await remove(api, sid);
  await create(api, destination);
}

async function remove(api: EventsApi, sinkSid: string): Promise<void> {
  const { subscriptions } = SubscriptionPage.parse(await api("GET", `/Subscriptions?SinkSid=${sinkSid}&PageSize=1000`));
  // A sink in use can't be removed.
  for (const { sid } of subscriptions) await api("DELETE", `/Subscriptions/${sid}`);
  await api("DELETE", `/Sinks/${sinkSid}`);
}

async function create(api: EventsApi, destination: string): Promise<void> {
  const SinkConfiguration = JSON.stringify({ destination, method: "POST", batch_events: false });
  const sink = Made.parse(await api("POST", "/Sinks", { Description: NAME, SinkType: "webhook", SinkConfiguration }));
  await api("POST", "/Subscriptions", { Description: NAME, SinkSid: sink.sid, Types });
}

type EventsApi = (method: "GET" | "POST" | "DELETE", path: string, form?: Record<string, string>) => Promise<unknown>;

function eventsApi({ url }: TwilioSimulator, { accountSid, authToken }: AccountSummary): EventsApi {
  const headers = { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}` };
  return async (method, path, form) => {
    const body = form === undefined ? null : new URLSearchParams(form);
    const response = await fetch(`${url}/events/v1${path}`, { method, headers, body });
    if (response.ok) return response.status === 204 ? undefined : response.json();
    throw new TollbreakerError("local-arming-failed", "The simulated subaccounts could not be given their sinks.", {
      expected: "the simulator to accept a sink and a subscription",
      got: `HTTP ${response.status} ${await response.text()}`,
    });
  };
}
