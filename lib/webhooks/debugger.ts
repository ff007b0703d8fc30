import type { Form } from "../twilio/signature.ts";
import { type Reader, type Reading, readEvent } from "./error-event.ts";
import { type ErrorSource, receiveErrors } from "./error-source.ts";
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
    // A genuine one has seven parameters. Its Payload may hold the request and the answer that went wrong.
    most: { bytes: 256 * 1024, parameters: 100 },
    receive: (request) => receive(source, request),
  };
}

/** The function has ten seconds, Twilio waits for fifteen. */
const ANSWER_WITHIN_MS = 9000;

function receive(source: ErrorSource, request: ReceivedRequest): Promise<WebhookAnswer> {
  const { tokens, parentSid, publicUrl, clock, counter } = source;
  return receiveErrors(source, {
    answerWithinMs: ANSWER_WITHIN_MS,
    verify: () => verifyDebuggerForm(tokens, parentSid, request),
    count({ accountSid, form, signedBy }, signal) {
      const reading = readForm(accountSid, form, { road: "debugger", publicUrl, receivedAt: clock.now() });
      return counter.count([reading], { road: "debugger", signedBy, signal });
    },
  });
}

function readForm(accountSid: string, form: Form, reader: Reader): Reading {
  const only = (name: string) => {
    const values = form.get(name) ?? [];
    return values.length === 1 ? values[0] : undefined;
  };
  return readEvent({ accountSid, sid: only("Sid"), level: only("Level"), payload: only("Payload") }, reader);
}
