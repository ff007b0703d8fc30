import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { pages } from "./paging.ts";
import { accountPath } from "./paths.ts";
import { CALL_SID } from "./sids.ts";

/** The states in which a call still costs money, or soon will: https://www.twilio.com/docs/voice/api/call-resource */
export const LIVE_STATUSES = ["queued", "ringing", "in-progress"] as const;
export type LiveStatus = (typeof LIVE_STATUSES)[number];

export interface LiveCall {
  sid: string;
  status: LiveStatus;
}

const CallPage = z.object({
  calls: z.array(z.object({ sid: z.string().check(z.regex(CALL_SID)) })),
  next_page_uri: z.nullish(z.string()),
});
const CallResource = z.object({ sid: z.string(), status: z.string() });

export async function listLiveCalls(
  twilio: TwilioClient,
  accountSid: string,
  status: LiveStatus,
  timeoutMs: number,
): Promise<Answer<LiveCall[]>> {
  return pages(twilio, {
    path: `${accountPath(accountSid, "Calls")}?Status=${status}&PageSize=1000`,
    answer: CallPage,
    items: (page) => page.calls.map(({ sid }): LiveCall => ({ sid, status })),
    timeoutMs,
  });
}

/**
 * Ends one call. Twilio cancels only calls that have not been answered; one that is in progress must be completed.
 * The answer tells the call's status after it.
 */
export async function endCall(
  twilio: TwilioClient,
  accountSid: string,
  call: LiveCall,
  timeoutMs: number,
): Promise<Answer<{ sid: string; status: string }>> {
  return twilio.send({
    path: accountPath(accountSid, "Calls", call.sid),
    form: { Status: call.status === "in-progress" ? "completed" : "canceled" },
    answer: CallResource,
    timeoutMs,
  });
}
