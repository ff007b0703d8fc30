import pLimit from "p-limit";
import { deleteApiKey, listApiKeys } from "../../twilio/api-keys.ts";
import { retrying } from "../../twilio/backoff.ts";
import { describeFailure } from "../../twilio/failures.ts";
import { type Journey, REQUEST_TIMEOUT_MS } from "./journey.ts";

/** Twilio answers 429 beyond an undocumented number of parallel requests. */
const PARALLEL_REQUESTS = 5;

type Deletion =
  /** The SIDs of those that were there and are not any more. */
  { kind: "deleted"; deleted: readonly string[] } | { kind: "failed"; why: string };

/**
 * Deletes the account's API keys, with the parent's token: whoever holds one is locked out at once.
 * @param kept the SIDs of those that stay
 */
export async function deleteKeysBut(kept: readonly string[], journey: Journey): Promise<Deletion> {
  const { twilio, accountSid, until } = journey;
  const before = await keysBut(kept, journey);
  if ("failure" in before) return failed(`the API keys could not be listed: ${before.failure}`);
  if (before.sids.length === 0) return { kind: "deleted", deleted: [] };
  await pLimit(PARALLEL_REQUESTS).map(before.sids, (sid) =>
    retrying(() => deleteApiKey(twilio, accountSid, sid, REQUEST_TIMEOUT_MS), until),
  );
  // Only a list without them proves that they are gone.
  const after = await keysBut(kept, journey);
  if ("failure" in after) return failed(`whether the API keys are gone could not be read: ${after.failure}`);
  const [left, count] = [after.sids, before.sids.length];
  return left.length === 0
    ? { kind: "deleted", deleted: before.sids }
    : failed(`${left.length} of ${count} API keys could not be deleted: ${left.join(", ")}`);
}

async function keysBut(kept: readonly string[], { twilio, accountSid, until }: Journey) {
  const keys = await retrying(() => listApiKeys(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (keys.kind === "failed") return { failure: describeFailure(keys.failure) };
  return { sids: keys.body.map(({ sid }) => sid).filter((sid) => !kept.includes(sid)) };
}

function failed(why: string): Extract<Deletion, { kind: "failed" }> {
  return { kind: "failed", why };
}
