import * as z from "zod/mini";
import { TollbreakerError } from "../lib/errors.ts";
import type { Limit, Policy } from "../lib/policy/policy.ts";
import { LIMIT_PARAMETER } from "../lib/webhooks/usage-trigger-firing.ts";
import type { TwilioSimulator } from "./twilio/simulator.ts";

const RECURRING: Readonly<Record<Limit["every"], string>> = {
  day: "daily",
  month: "monthly",
  year: "yearly",
  once: "",
};
const MARK = "tollbreaker: ";

const TriggerPage = z.object({
  usage_triggers: z.array(z.object({ sid: z.string(), friendly_name: z.string(), trigger_value: z.string() })),
});

export interface Arming {
  simulator: TwilioSimulator;
  policy: Policy;
  publicUrl: string;
}

/** Gives each subaccount a usage trigger for each limit of the policy, through the API, as a deployer would. */
export async function armSubaccounts({ simulator, policy, publicUrl }: Arming): Promise<void> {
  for (const { accountSid } of simulator.subaccounts()) await arm({ simulator, policy, publicUrl }, accountSid);
}

async function arm({ simulator, policy, publicUrl }: Arming, accountSid: string): Promise<void> {
  const triggers = `/api/2010-04-01/Accounts/${accountSid}/Usage/Triggers`;
  const page = TriggerPage.parse(await send(simulator, `${triggers}.json?PageSize=1000`));
  const ours = page.usage_triggers.filter(({ friendly_name }) => friendly_name.startsWith(MARK));
  for (const [name, limit] of Object.entries(policy.limits)) {
    const TriggerValue = policy.accounts[accountSid]?.[name] ?? limit.at;
    const CallbackUrl = `${publicUrl.replace(/\/+$/, "")}/webhooks/usage-trigger?${LIMIT_PARAMETER}=${name}`;
    const there = ours.find(
      (one) => one.friendly_name === MARK + name && Number(one.trigger_value) === Number(TriggerValue),
    );
    // A value can't be changed, an address can: the port may be another one than in the last run.
    if (there === undefined)
      await send(simulator, `${triggers}.json`, {
        ...formOf(limit),
        TriggerValue,
        CallbackUrl,
        FriendlyName: MARK + name,
      });
    else await send(simulator, `${triggers}/${there.sid}.json`, { CallbackUrl });
  }
}

function formOf({ category, by, every }: Limit): Record<string, string> {
  return { UsageCategory: category, TriggerBy: by, Recurring: RECURRING[every] };
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
