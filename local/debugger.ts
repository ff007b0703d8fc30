import type { TwilioSimulator } from "./twilio/simulator.ts";

/**
 * Points the simulated parent account's debugger webhook at us, behind the API's back: Twilio has only its Console for
 * it (https://github.com/twilio/terraform-provider-twilio/issues/104). Its subaccounts' errors come the same way.
 */
export function armDebugger(simulator: TwilioSimulator, publicUrl: string): void {
  const url = `${publicUrl.replace(/\/+$/, "")}/webhooks/debugger`;
  simulator.setDebuggerWebhook(simulator.parent().accountSid, { url });
}
