import { getRequestListener } from "@hono/node-server";
import { systemClock as clock } from "../../lib/clock.ts";
import type { Inbox } from "../../lib/inbox/inbox.ts";
import { jsonLog } from "../../lib/log.ts";
import { policy } from "../../lib/policy/current-policy.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { signingTokens } from "../../lib/webhooks/signing-tokens.ts";
import { usageTriggerWebhook } from "../../lib/webhooks/usage-trigger.ts";
import { serveMeasured } from "./measured-server.ts";

/** Our webhook, whole but for SQS: what is verified goes into memory, so that verification is what is measured. */
const [publicUrl = "", accountSid = "", authToken = "", apiUrl = ""] = process.argv.slice(2);
const parentToken = async () => authToken;
const log = jsonLog(() => undefined);
const twilio = twilioClient({ accountSid, authToken: parentToken, apiUrl });
const app = usageTriggerWebhook({
  publicUrl,
  tokens: signingTokens({ twilio, parentToken, clock, log }),
  parentSid: accountSid,
  inbox: memoryInbox(),
  policy,
  clock,
  log,
});

serveMeasured(getRequestListener(app.fetch));

function memoryInbox(): Inbox {
  const stored = new Map<string, string>();
  return {
    async put(message) {
      stored.set(message.id, JSON.stringify(message));
    },
  };
}
