import { afterEach, beforeEach, expect, it } from "vitest";
import { armDebugger } from "../../local/debugger.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import { quietSimulator, subaccount } from "./twilio/api.ts";
import { webhook } from "./twilio/webhook.ts";

let simulator: TwilioSimulator;
beforeEach(async () => {
  simulator = await quietSimulator();
});
afterEach(() => simulator.close());

it("the errors of every account come to our debugger webhook, each signed by its own account", async () => {
  const hook = await webhook();
  armDebugger(simulator, `${new URL(hook.url).origin}/`);
  simulator.raiseErrors(subaccount(simulator).accountSid, { code: 32201 });
  simulator.raiseErrors(simulator.parent().accountSid, { code: 32201 });
  await simulator.errorsSettled();
  await hook.close();
  expect(hook.received.map(({ url }) => url)).toEqual(["/webhooks/debugger", "/webhooks/debugger"]);
  const signers = simulator.errorDeliveries().map(({ signedBy }) => signedBy);
  expect(signers.sort()).toEqual([subaccount(simulator).accountSid, simulator.parent().accountSid].sort());
});
