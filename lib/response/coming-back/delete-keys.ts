import pLimit from "p-limit";
import type { ApiKey, ApiKeys } from "../../twilio/api-keys.ts";
import { retrying, type Until, waitToRetry } from "../../twilio/backoff.ts";
import { describeFailure, isRefusal, type TwilioFailure } from "../../twilio/failures.ts";
import { PARALLEL_REQUESTS, REQUEST_TIMEOUT_MS } from "./journey.ts";

export type Deletion =
  /** All of them are gone. */
  | { kind: "deleted"; deleted: readonly ApiKey[] }
  /** The time was over, and some of them are gone: another delivery can go on. */
  | { kind: "unfinished"; deleted: readonly ApiKey[]; why: string }
  | { kind: "failed"; why: string };

interface Keys {
  /** Where they are listed: each is deleted where it was seen. */
  seenBy: readonly ApiKeys[];
  isKept: (key: ApiKey) => boolean;
}

/**
 * Deletes API keys until no list shows one that is to go. Lists may lag: of a key that Twilio said is deleted and that is
 * listed all the same, the key itself is read, and that counts.
 */
export async function deleteKeys({ seenBy, isKept }: Keys, until: Until): Promise<Deletion> {
  const gone = new Map<string, Gone>();
  const proven = new Set<string>();
  for (let attempt = 0; ; attempt++) {
    const listed = await listAll(seenBy, until);
    if ("failure" in listed) return ended(gone, `the API keys could not be listed: ${describeFailure(listed.failure)}`);
    const left = await stillThere(
      listed.keys.filter(({ key }) => !isKept(key)),
      { gone, proven, until },
    );
    if (left.length === 0) return { kind: "deleted", deleted: ours(gone) };

    const failures = await deleteAll(left, gone, until);
    const isRefused = failures.length === left.length && failures.every(isRefusal);
    if (isRefused || !(await waitToRetry(until, attempt))) return ended(gone, whyLeft(left, gone, failures));
  }
}

interface Listed {
  key: ApiKey;
  seenBy: ApiKeys;
}

async function listAll(
  seenBy: readonly ApiKeys[],
  until: Until,
): Promise<{ keys: Listed[] } | { failure: TwilioFailure }> {
  const keys = new Map<string, Listed>();
  for (const one of seenBy) {
    const list = await retrying(() => one.list(REQUEST_TIMEOUT_MS), until);
    if (list.kind === "failed") return list;
    // Whoever showed it first.
    for (const key of list.body) if (!keys.has(key.sid)) keys.set(key.sid, { key, seenBy: one });
  }
  return { keys: [...keys.values()] };
}

interface Gone {
  key: ApiKey;
  /** By a request of ours, and not before it: a list may show for long what was deleted. */
  isOurs: boolean;
}

interface Seen {
  /** Those that Twilio said are gone, by SID. */
  gone: Map<string, Gone>;
  /** The SIDs of those of them that were read since, and are not there. */
  proven: Set<string>;
  until: Until;
}

async function stillThere(listed: readonly Listed[], { gone, proven, until }: Seen): Promise<Listed[]> {
  const left = await pLimit(PARALLEL_REQUESTS).map(listed, async (one) => {
    const { sid } = one.key;
    if (!gone.has(sid)) return one;
    if (proven.has(sid)) return undefined;
    const read = await retrying(() => one.seenBy.fetch(sid, REQUEST_TIMEOUT_MS), until);
    if (read.kind === "failed" && read.failure.kind !== "not-found") return one;
    if (read.kind === "failed") proven.add(sid);
    else gone.delete(sid);
    return read.kind === "failed" ? undefined : one;
  });
  return left.filter((one) => one !== undefined);
}

/** @returns why some are not deleted. */
async function deleteAll(
  left: readonly Listed[],
  gone: Map<string, Gone>,
  until: Until,
): Promise<readonly TwilioFailure[]> {
  const failures = await pLimit(PARALLEL_REQUESTS).map(left, async ({ key, seenBy }) => {
    let isDoubtful = false;
    const request = async () => {
      const answer = await seenBy.delete(key.sid, REQUEST_TIMEOUT_MS);
      if (answer.kind === "failed" && answer.failure.kind === "retryable") isDoubtful = true;
      return answer;
    };
    const answer = await retrying(request, until);
    if (answer.kind === "failed" && answer.failure.kind !== "not-found") return answer.failure;
    // Not found after a request that got no answer: that one may have deleted it.
    gone.set(key.sid, { key, isOurs: answer.kind === "ok" || isDoubtful });
    return undefined;
  });
  return failures.filter((failure) => failure !== undefined);
}

/** Whose deletion was not proven when the time was over is looked at again in another delivery. */
function ended(gone: ReadonlyMap<string, Gone>, why: string): Deletion {
  const deleted = ours(gone);
  return deleted.length === 0 ? { kind: "failed", why } : { kind: "unfinished", deleted, why };
}

function ours(gone: ReadonlyMap<string, Gone>): ApiKey[] {
  return [...gone.values()].filter(({ isOurs }) => isOurs).map(({ key }) => key);
}

function whyLeft(left: readonly Listed[], gone: ReadonlyMap<string, Gone>, failures: readonly TwilioFailure[]): string {
  const sids = left.map(({ key }) => key.sid).filter((sid) => !gone.has(sid));
  const [first] = failures;
  const why = first === undefined ? "the time was over" : describeFailure(first);
  return `API keys could not be deleted: ${named(sids)} (${why})`;
}

const MOST_NAMED = 5;

/** A thousand would not fit into an alert. */
export function named(sids: readonly string[]): string {
  const more = sids.length > MOST_NAMED ? `, and ${sids.length - MOST_NAMED} more` : "";
  return `${sids.slice(0, MOST_NAMED).join(", ")}${more}`;
}
