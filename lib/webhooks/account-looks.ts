import * as z from "zod/mini";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { listAccounts } from "../twilio/accounts.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
import { accountPath } from "../twilio/paths.ts";
import { type Allowance, allowance } from "./allowance.ts";

/**
 * Reads our accounts at Twilio for their auth tokens, no more often than it may, and remembers what it read for the life
 * of a warm function. Who asks is not known yet: an AccountSid in a webhook is anybody's claim until its signature is
 * checked. So looks are coalesced, and bounded. At most
 *
 * - 30 first looks a minute, at accounts never read before: any invented SID asks for one;
 * - 300 second looks a minute, at accounts that were read before, and two in five seconds for each: who knows SIDs of
 *   ours asks for them. They have a share of their own, so that invented SIDs can't hide a rotation;
 * - a listing of our accounts every five seconds, or one page a second where it has more than five pages of 1,000: 60
 *   requests a minute. It answers for all when a share is used up, so that no flood starves an account of ours.
 *
 * Together 390 requests a minute; twice that while Twilio refuses the parent's token and another one is known.
 */
export interface AccountLooks {
  /** A moment between looks: what was read by a look that began after it was true after it. */
  moment(): number;
  /** What is known of an account; undefined where nothing is, or where it is too long ago that it was not ours. */
  recall(accountSid: string): Knowledge | undefined;
  /** Reads the account, or waits for a look that is under way. */
  look(accountSid: string): Promise<Look>;
  /** Whether Twilio took the parent's credentials in a look that began after `moment`. */
  hasBeenLetInSince(moment: number): boolean;
}

export type Knowledge = { kind: "ours"; token: KnownToken } | { kind: "not-ours" };

interface KnownToken {
  authToken: string;
  /** When the look began that read it. */
  moment: number;
  /** A token that was compromised and rotated must not be good for ever because nobody uses the new one. */
  isOld: boolean;
}

export type Look =
  /** What is known is from this look. */
  | "read"
  | "not-ours"
  /** Twilio did not say. */
  | "failed"
  /** Not looked: it would have been too often. */
  | "not-allowed";

export interface AccountLooksOptions {
  twilio: TwilioClient;
  clock: Clock;
  log: Log;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
/** Of the ten seconds that the function has; the rest is for storing. Twilio waits for 15. */
const TIMEOUT_MS = 7500;
const FIRST_LOOKS = { most: 30, withinMs: MINUTE_MS };
const SECOND_LOOKS = { most: 300, withinMs: MINUTE_MS };
/** Two, because whoever comes while the first is on its way needs another: its answer may be from before. */
const LOOKS_AT_ONE_ACCOUNT = { most: 2, withinMs: 5 * SECOND_MS };
const LISTING_EVERY_MS = 5 * SECOND_MS;
const PAGE_SIZE = 1000;
const TOKEN_MAX_AGE_MS = 10 * MINUTE_MS;
const STRANGER_MAX_AGE_MS = MINUTE_MS;
/** Bounds memory when somebody invents SIDs for hours. */
const MOST_STRANGERS = 10_000;

/** All that matters of an account here: of whatever status it is, it signs with its token. */
const SigningAccount = z.object({
  sid: z.string(),
  owner_account_sid: z.string(),
  /** Absent or empty unless the request was made with the parent's auth token. */
  auth_token: z.nullish(z.string()),
});

interface Read {
  authToken: string;
  moment: number;
  at: number;
}

export function accountLooks({ twilio, clock, log }: AccountLooksOptions): AccountLooks {
  const tokens = new Map<string, Read>();
  const strangers = new Map<string, number>();
  const underWay = new Map<string, Promise<Look>>();
  const firstLooks = allowance(clock, FIRST_LOOKS);
  const secondLooks = allowance(clock, SECOND_LOOKS);
  const looksAt = new Map<string, Allowance>();
  let listing: Promise<Listing> | undefined;
  let lastListing: Listing | undefined;
  let lastMoment = 0;
  let letInAt = 0;

  const now = () => clock.now().getTime();
  const moment = () => ++lastMoment;

  function recall(accountSid: string): Knowledge | undefined {
    const read = tokens.get(accountSid);
    if (read !== undefined) {
      const token = { authToken: read.authToken, moment: read.moment, isOld: now() - read.at >= TOKEN_MAX_AGE_MS };
      return { kind: "ours", token };
    }
    const strangerAt = strangers.get(accountSid);
    return strangerAt !== undefined && now() - strangerAt < STRANGER_MAX_AGE_MS ? { kind: "not-ours" } : undefined;
  }

  function look(accountSid: string): Promise<Look> {
    const running = underWay.get(accountSid);
    if (running !== undefined) return running;
    const begun = begin(accountSid).finally(() => underWay.delete(accountSid));
    underWay.set(accountSid, begun);
    return begun;
  }

  async function begin(accountSid: string): Promise<Look> {
    if (!tokens.has(accountSid)) return firstLooks.take() ? readOne(accountSid) : firstLookInListing(accountSid);
    const looks = looksAt.get(accountSid) ?? allowance(clock, LOOKS_AT_ONE_ACCOUNT);
    looksAt.set(accountSid, looks);
    if (!looks.take()) return "not-allowed";
    const looked = await (secondLooks.take() ? readOne(accountSid) : secondLookInListing(accountSid));
    // What told nothing keeps nobody from looking again.
    if (looked === "failed" || looked === "not-allowed") looks.giveBack();
    return looked;
  }

  async function readOne(accountSid: string): Promise<Look> {
    const begunAt = moment();
    const path = accountPath(accountSid);
    const answer = await twilio.send({ path, answer: SigningAccount, timeoutMs: TIMEOUT_MS });
    if (answer.kind === "failed") {
      // Only Twilio's own word says that an account is not ours.
      if (answer.failure.kind === "not-found") return meetStranger(accountSid);
      log.warn("token-look-up-failed", { reason: describeFailure(answer.failure) });
      return "failed";
    }
    letInAt = Math.max(letInAt, begunAt);
    const { sid, owner_account_sid: ownerAccountSid, auth_token: authToken } = answer.body;
    if (sid !== accountSid || ownerAccountSid !== twilio.accountSid) return meetStranger(accountSid);
    return remember(sid, authToken ?? undefined, begunAt);
  }

  function meetStranger(accountSid: string): Look {
    tokens.delete(accountSid);
    looksAt.delete(accountSid);
    if (strangers.size >= MOST_STRANGERS) strangers.clear();
    strangers.set(accountSid, now());
    return "not-ours";
  }

  function remember(accountSid: string, authToken: string | undefined, begunAt: number): Look {
    if (authToken === undefined || authToken === "") {
      log.error("token-hidden", {
        reason: "Twilio shows auth tokens of subaccounts only to the parent's own auth token, not to an API key",
        fix: "configure the parent's auth token as TWILIO_AUTH_TOKEN",
      });
      return "failed";
    }
    strangers.delete(accountSid);
    // Of two looks at the same time the later one knows better.
    if ((tokens.get(accountSid)?.moment ?? 0) < begunAt)
      tokens.set(accountSid, { authToken, moment: begunAt, at: now() });
    return "read";
  }

  /** Who is not in a whole listing is not ours: an account that was made since can't have fired yet. */
  async function firstLookInListing(accountSid: string): Promise<Look> {
    const list = await (mayList() ? newListing() : lastListing);
    if (tokens.has(accountSid)) return "read";
    if (list === undefined) return "failed";
    return list.isWhole ? "not-ours" : "failed";
  }

  async function secondLookInListing(accountSid: string): Promise<Look> {
    if (!mayList()) return "not-allowed";
    const { moment: begunAt } = await newListing();
    return (tokens.get(accountSid)?.moment ?? 0) >= begunAt ? "read" : "failed";
  }

  function mayList(): boolean {
    return listing !== undefined || lastListing === undefined || now() >= lastListing.nextAt;
  }

  function newListing(): Promise<Listing> {
    listing ??= list().finally(() => {
      listing = undefined;
    });
    return listing;
  }

  async function list(): Promise<Listing> {
    log.warn("token-look-ups-over-bound", { firstLooks: FIRST_LOOKS.most, secondLooks: SECOND_LOOKS.most });
    const begun = { moment: moment(), at: now() };
    const { pages, isWhole } = await readListing(begun.moment);
    const nextAt = begun.at + Math.max(LISTING_EVERY_MS, pages * SECOND_MS);
    lastListing = { moment: begun.moment, isWhole, nextAt };
    return lastListing;
  }

  /** A listing with pages or rows missing brings tokens all the same; but it does not prove who is not ours. */
  async function readListing(begunAt: number): Promise<{ pages: number; isWhole: boolean }> {
    const answer = await listAccounts(twilio, TIMEOUT_MS);
    if (answer.kind === "failed") {
      log.warn("account-listing-failed", { reason: describeFailure(answer.failure) });
      return { pages: 1, isWhole: false };
    }
    letInAt = Math.max(letInAt, begunAt);
    const { accounts, setAside, incomplete } = answer.body;
    const ours = accounts.filter(({ ownerAccountSid }) => ownerAccountSid === twilio.accountSid);
    for (const { sid, authToken } of ours) remember(sid, authToken, begunAt);
    const isWhole = incomplete === null && setAside.length === 0;
    if (!isWhole) {
      const reason = incomplete === null ? "rows could not be understood" : describeFailure(incomplete);
      log.warn("account-listing-incomplete", { reason, setAside: setAside.length });
    }
    return {
      pages: Math.ceil((accounts.length + setAside.length) / PAGE_SIZE) + (incomplete === null ? 0 : 1),
      isWhole,
    };
  }

  return { moment, recall, look, hasBeenLetInSince: (since) => letInAt > since };
}

interface Listing {
  moment: number;
  /** Whether no page and no row is missing. */
  isWhole: boolean;
  /** When there may be another one: milliseconds since the epoch. */
  nextAt: number;
}
