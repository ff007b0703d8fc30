import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { noAnswer, type TwilioFailure } from "./failures.ts";
import { pagesSoFar } from "./paging.ts";
import { accountPath } from "./paths.ts";
import { CALL_SID } from "./sids.ts";
import { parseTime } from "./times.ts";

/** The states in which a call still costs money, or soon will: https://www.twilio.com/docs/voice/api/call-resource */
export const LIVE_STATUSES = ["queued", "ringing", "in-progress"] as const;
export type LiveStatus = (typeof LIVE_STATUSES)[number];
/** With those, all that Twilio's OpenAPI file knows (`call_enum_status`). */
const OVER: ReadonlySet<string> = new Set(["completed", "busy", "failed", "no-answer", "canceled"]);

export function isLive(status: string): status is LiveStatus {
  return LIVE_STATUSES.some((live) => live === status);
}

/** A status that nobody knows is neither live nor over. */
export function isOver(status: string): boolean {
  return OVER.has(status);
}

export interface LiveCall {
  sid: string;
  status: LiveStatus;
  /** Milliseconds since the epoch, to the second; null where Twilio's text could not be read. */
  createdAt: number | null;
}

/** All that can be listed. */
export interface LiveCalls {
  calls: LiveCall[];
  /** Why there may be more of them; null where there are not. */
  incomplete: TwilioFailure | null;
}

const CallPage = z.object({ calls: z.array(z.unknown()), next_page_uri: z.nullish(z.string()) });
const ListedCall = z.object({ sid: z.string().check(z.regex(CALL_SID)), date_created: z.nullish(z.unknown()) });
const CallResource = z.object({ sid: z.string(), status: z.string() });
type CallResource = z.infer<typeof CallResource>;

/** A part of the list is better than none: each of these calls can be ended. */
export async function listLiveCalls(
  twilio: TwilioClient,
  accountSid: string,
  status: LiveStatus,
  timeoutMs: number,
): Promise<Answer<LiveCalls>> {
  const answer = await pagesSoFar(twilio, {
    path: `${accountPath(accountSid, "Calls")}?Status=${status}&PageSize=1000`,
    answer: CallPage,
    items: (page) => page.calls.map((row) => z.safeParse(ListedCall, row).data),
    timeoutMs,
  });
  if (answer.kind === "failed") return answer;
  const { items, incomplete } = answer.body;
  const rows = items.filter((row) => row !== undefined);
  const strange = items.length - rows.length;
  const notUnderstood = strange === 0 ? null : noAnswer(`calls that could not be understood: ${strange}`);
  return {
    kind: "ok",
    body: {
      calls: rows.map(({ sid, date_created }) => ({ sid, status, createdAt: readTime(date_created) })),
      incomplete: incomplete ?? notUnderstood,
    },
  };
}

function readTime(text: unknown): number | null {
  return typeof text === "string" ? (parseTime(text)?.getTime() ?? null) : null;
}

/** One call, itself: lists may lag. `not-found` once it was deleted. */
export async function fetchCall(
  twilio: TwilioClient,
  accountSid: string,
  callSid: string,
  timeoutMs: number,
): Promise<Answer<CallResource>> {
  return twilio.send({ path: accountPath(accountSid, "Calls", callSid), answer: CallResource, timeoutMs });
}

/**
 * Ends one call. Twilio cancels only calls that have not been answered, and answers with one that is in progress as it is:
 * that must be completed. The answer tells the call's status after it.
 */
export async function endCall(
  twilio: TwilioClient,
  accountSid: string,
  call: Pick<LiveCall, "sid" | "status">,
  timeoutMs: number,
): Promise<Answer<CallResource>> {
  return twilio.send({
    path: accountPath(accountSid, "Calls", call.sid),
    form: { Status: call.status === "in-progress" ? "completed" : "canceled" },
    answer: CallResource,
    timeoutMs,
  });
}
