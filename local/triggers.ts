import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import type { TwilioSimulator } from "./twilio/simulator.ts";

/** What the local system arms each simulated subaccount with, so that an attack on it trips. */
const DAILY_LIMIT = { UsageCategory: "totalprice", TriggerBy: "price", Recurring: "daily", TriggerValue: "100" };
const NAME = "tollbreaker: 100 a day";

const TriggerPage = z.object({ usage_triggers: z.array(z.object({ sid: z.string(), friendly_name: z.string() })) });

/** Sees to it that each subaccount has the trigger and that it calls us, through the API, as a deployer would. */
export async function armSubaccounts(simulator: TwilioSimulator, publicUrl: string): Promise<void> {
  for (const { accountSid } of simulator.subaccounts()) await arm(simulator, accountSid, publicUrl);
}

async function arm(simulator: TwilioSimulator, accountSid: string, publicUrl: string): Promise<void> {
  const triggers = `/api/2010-04-01/Accounts/${accountSid}/Usage/Triggers`;
  const CallbackUrl = `${publicUrl.replace(/\/+$/, "")}/webhooks/usage-trigger`;
  const page = TriggerPage.parse(await send(simulator, `${triggers}.json?PageSize=1000`));
  const ours = page.usage_triggers.find(({ friendly_name }) => friendly_name === NAME);
  // A value can't be changed, an address can: the port may be another one than in the last run.
  if (ours === undefined)
    await send(simulator, `${triggers}.json`, { ...DAILY_LIMIT, CallbackUrl, FriendlyName: NAME });
  else await send(simulator, `${triggers}/${ours.sid}.json`, { CallbackUrl });
}

async function send({ url, parent }: TwilioSimulator, path: string, form?: Record<string, string>): Promise<unknown> {
  const { accountSid, authToken } = parent();
  const headers = { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}` };
  const request = form === undefined ? { headers } : { method: "POST", headers, body: new URLSearchParams(form) };
  const response = await fetch(url + path, request);
  if (response.ok) return response.json();
  throw new TollbreakerError("local-arming-failed", "The simulated subaccounts could not be given their triggers.", {
    expected: "the simulator to accept a usage trigger",
    got: `HTTP ${response.status} ${await response.text()}`,
  });
}
