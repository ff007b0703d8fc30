import type { Form } from "../twilio/signature.ts";
import { type Reader, type Reading, readEvent } from "./error-event.ts";
import { type ErrorSource, inTime, refuse } from "./error-source.ts";
import type { ReceivedRequest, Webhook, WebhookAnswer } from "./receive-webhook.ts";
import { verifyDebuggerForm } from "./verified-debugger.ts";

/**
 * `POST /webhooks/debugger`: one error in each request, as a form whose Payload is JSON text. Twilio documents no retry
 * for it; Event Streams is the second road of the same errors.
 * https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks
 */
export function debuggerWebhook(source: ErrorSource): Webhook {
  return {
    path: "/webhooks/debugger",
    accepts: ["application/x-www-form-urlencoded"],
    receive: (request) => inTime(source, (signal) => receive(source, request, signal)),
  };
}

async function receive(source: ErrorSource, request: ReceivedRequest, signal: AbortSignal): Promise<WebhookAnswer> {
  const { tokens, parentSid, publicUrl, clock, counter } = source;
  const verification = await verifyDebuggerForm(tokens, parentSid, request);
  switch (verification.kind) {
    case "refused":
      return refuse(source, verification.why);
    case "undecided":
      return 503;
    case "verified": {
      const { accountSid, form, signedBy } = verification;
      const reading = readForm(accountSid, form, { road: "debugger", publicUrl, receivedAt: clock.now() });
      await counter.count([reading], { road: "debugger", signedBy, signal });
      return 204;
    }
  }
}

function readForm(accountSid: string, form: Form, reader: Reader): Reading {
  const only = (name: string) => {
    const values = form.get(name) ?? [];
    return values.length === 1 ? values[0] : undefined;
  };
  return readEvent({ accountSid, sid: only("Sid"), level: only("Level"), payload: only("Payload") }, reader);
}
