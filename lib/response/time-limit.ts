import type { Until } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { noAnswer } from "../twilio/failures.ts";

/**
 * What is read back at the very end may go on for this long after the time was over: a suspension that happened, or the
 * calls that are left, are worth knowing.
 */
export const LAST_LOOK_MS = 2000;

/** For a request to a limited client: it may take all the time that is left. */
export const NO_SOONER_MS = 60_000;

/** The same client, whose requests end when the time is over, so that what comes after keeps its share of the time. */
export function limitedTo(twilio: TwilioClient, { clock, deadline }: Until): TwilioClient {
  return {
    accountSid: twilio.accountSid,
    async send(request) {
      const left = Math.ceil(deadline - clock.now().getTime());
      if (left <= 0) return { kind: "failed", failure: noAnswer("the time was over before it could be asked") };
      return twilio.send({ ...request, timeoutMs: Math.min(request.timeoutMs, left) });
    },
  };
}

export function extended({ clock, deadline }: Until, milliseconds: number): Until {
  return { clock, deadline: deadline + milliseconds };
}
