import { systemClock as clock } from "../lib/clock.ts";
import { TollbreakerError } from "../lib/errors.ts";
import type { Policy } from "../lib/policy/policy.ts";
import { bringInOrder } from "../lib/triggers/apply.ts";
import { planTriggers } from "../lib/triggers/plan.ts";
import { wantedTriggers } from "../lib/triggers/wanted.ts";
import { type TwilioClient, twilioClient } from "../lib/twilio/client.ts";
import type { TwilioSimulator } from "./twilio/simulator.ts";

export interface Arming {
  simulator: TwilioSimulator;
  policy: Policy;
  publicUrl: string;
}

const PATIENCE_MS = 20_000;

/** Gives each subaccount the policy's usage triggers, through the API, as `triggers apply` does. */
export async function armSubaccounts({ simulator, policy, publicUrl }: Arming): Promise<void> {
  const { accountSid, authToken } = simulator.parent();
  const twilio = twilioClient({ accountSid, authToken: async () => authToken, apiUrl: simulator.url });
  const armed = simulator.subaccounts().filter(({ status }) => status !== "closed");
  for (const account of armed) await arm(twilio, account.accountSid, { policy, publicUrl });
}

// The port may be another one than in the last run, and so the address that each of them calls.
async function arm(twilio: TwilioClient, accountSid: string, { policy, publicUrl }: Omit<Arming, "simulator">) {
  const wanted = wantedTriggers(policy, accountSid, publicUrl);
  const until = { clock, deadline: clock.now().getTime() + PATIENCE_MS };
  const ordered = await bringInOrder(
    twilio,
    accountSid,
    (existing) => planTriggers(accountSid, existing, wanted),
    until,
  );
  if (ordered.kind === "in-order") return;
  throw new TollbreakerError("local-arming-failed", "The simulated subaccounts could not be given their triggers.", {
    expected: "the simulator to accept a usage trigger",
    got: `${accountSid}: ${ordered.why}`,
  });
}
