import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { type Account, fetchAccount, listAccounts } from "../twilio/accounts.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
import { allowance } from "./allowance.ts";

/**
 * The auth tokens that sign webhooks: each account signs with its own primary token
 * (https://github.com/twilio/twilio-php/issues/436). A subaccount's token is read from the Accounts API with the
 * parent's credentials, and kept for the life of a warm function.
 *
 * Who asks is not known yet: an AccountSid in a webhook is anybody's claim until the signature is checked. So look-ups
 * are coalesced, time-limited and bounded. Over the bound, one listing of our own accounts tells ours from forged ones
 * and brings all their tokens, so that a flood of forged SIDs cannot starve a genuine account.
 */
export interface SigningTokens {
  /** The token of `accountSid`, from memory or looked up now. */
  find(accountSid: string): Promise<TokenSearch>;
  /**
   * Looks again after a signature did not match the token `tried`: it may have been rotated. At most once in a short
   * while for each account; in between it gives what is remembered.
   */
  findAgain(accountSid: string, tried: FoundToken): Promise<TokenSearch>;
}

/** `fresh`: read from Twilio for this very search, so that looking again would be in vain. */
export type FoundToken = { kind: "found"; authToken: string; fresh: boolean };

export type TokenSearch =
  | FoundToken
  | { kind: "not-ours" }
  /** Twilio did not say; ask the sender to come again. */
  | { kind: "unknown" };

export interface SigningTokensOptions {
  twilio: TwilioClient;
  parentToken: () => Promise<string | undefined>;
  clock: Clock;
  log: Log;
}

const MINUTE_MS = 60_000;
const LOOK_UP_TIMEOUT_MS = 3000;
/**
 * Together 60 requests a minute at most, where one listing takes no more than 12 (each page holds 1,000 accounts).
 * Second looks have a share of their own, because only those who know SIDs of ours can use it up: a flood of invented
 * ones cannot keep a rotated token from being noticed.
 */
const FIRST_LOOKS_A_MINUTE = 30;
const SECOND_LOOKS_A_MINUTE = 18;
const LISTING_EVERY_MS = MINUTE_MS;
/** After a failed listing: 12 tries a minute. */
const LISTING_AGAIN_AFTER_MS = 5000;
/** A token that was compromised and rotated stops being accepted after this time even if nobody uses the new one. */
const TOKEN_MAX_AGE_MS = 10 * MINUTE_MS;
const STRANGER_MAX_AGE_MS = MINUTE_MS;
/** Forged signatures for a known SID must not cost a request each. */
const SECOND_LOOK_EVERY_MS = 5000;
/** Bounds memory when somebody invents SIDs for hours. */
const MOST_STRANGERS = 10_000;

interface Known {
  authToken: string;
  readAt: number;
}

export function signingTokens({ twilio, parentToken, clock, log }: SigningTokensOptions): SigningTokens {
  const known = new Map<string, Known>();
  const strangers = new Map<string, number>();
  const lookedAgainAt = new Map<string, number>();
  const underWay = new Map<string, Promise<TokenSearch>>();
  const firstLooks = allowance(clock, FIRST_LOOKS_A_MINUTE);
  const secondLooks = allowance(clock, SECOND_LOOKS_A_MINUTE);
  let listing: Promise<boolean> | undefined;
  let nextListingAt = Number.NEGATIVE_INFINITY;
  let listedAt = Number.NEGATIVE_INFINITY;

  const now = () => clock.now().getTime();

  async function find(accountSid: string): Promise<TokenSearch> {
    if (accountSid === twilio.accountSid) return parent();
    return recall(accountSid) ?? orStale(accountSid, await once(accountSid, lookUp));
  }

  async function findAgain(accountSid: string, tried: FoundToken): Promise<TokenSearch> {
    if (tried.fresh) {
      lookedAgainAt.set(accountSid, now());
      return tried;
    }
    const isSoon = now() - (lookedAgainAt.get(accountSid) ?? Number.NEGATIVE_INFINITY) < SECOND_LOOK_EVERY_MS;
    return isSoon ? (recall(accountSid) ?? { kind: "unknown" }) : once(accountSid, lookAgain);
  }

  async function parent(): Promise<TokenSearch> {
    try {
      const authToken = await parentToken();
      return authToken === undefined ? { kind: "unknown" } : { kind: "found", authToken, fresh: true };
    } catch (error) {
      log.error("parent-token-unreadable", { reason: messageOf(error) });
      return { kind: "unknown" };
    }
  }

  function recall(accountSid: string): TokenSearch | undefined {
    const entry = known.get(accountSid);
    if (entry !== undefined && now() - entry.readAt < TOKEN_MAX_AGE_MS) {
      return { kind: "found", authToken: entry.authToken, fresh: false };
    }
    const strangerSince = strangers.get(accountSid);
    return strangerSince !== undefined && now() - strangerSince < STRANGER_MAX_AGE_MS
      ? { kind: "not-ours" }
      : undefined;
  }

  // While Twilio cannot be asked, the last token known is better than a lost webhook.
  function orStale(accountSid: string, search: TokenSearch): TokenSearch {
    const entry = known.get(accountSid);
    if (search.kind !== "unknown" || entry === undefined) return search;
    return { kind: "found", authToken: entry.authToken, fresh: false };
  }

  function once(accountSid: string, look: (accountSid: string) => Promise<TokenSearch>): Promise<TokenSearch> {
    const running = underWay.get(accountSid);
    if (running !== undefined) return running;
    const search = look(accountSid).finally(() => underWay.delete(accountSid));
    underWay.set(accountSid, search);
    return search;
  }

  async function lookUp(accountSid: string): Promise<TokenSearch> {
    return firstLooks.take() ? fetchToken(accountSid) : findInListing(accountSid);
  }

  async function lookAgain(accountSid: string): Promise<TokenSearch> {
    const askedAt = now();
    const search = await (secondLooks.take() ? fetchToken(accountSid) : findInListing(accountSid));
    // A listing from before may show the token from before.
    if (search.kind === "unknown" || !isReadSince(accountSid, askedAt)) return { kind: "unknown" };
    lookedAgainAt.set(accountSid, now());
    return search;
  }

  function isReadSince(accountSid: string, time: number): boolean {
    const entry = known.get(accountSid);
    return entry === undefined || entry.readAt >= time;
  }

  async function fetchToken(accountSid: string): Promise<TokenSearch> {
    const answer = await fetchAccount(twilio, accountSid, LOOK_UP_TIMEOUT_MS);
    if (answer.kind === "ok") return remember(answer.body, accountSid);
    if (answer.failure.kind === "not-found") return stranger(accountSid);
    log.warn("token-look-up-failed", { reason: describeFailure(answer.failure) });
    return { kind: "unknown" };
  }

  function remember(account: Account, accountSid: string): TokenSearch {
    if (account.ownerAccountSid !== twilio.accountSid || account.sid !== accountSid) return stranger(accountSid);
    if (account.authToken === undefined) return tokenHidden();
    known.set(account.sid, { authToken: account.authToken, readAt: now() });
    strangers.delete(account.sid);
    return { kind: "found", authToken: account.authToken, fresh: true };
  }

  function tokenHidden(): TokenSearch {
    log.error("token-hidden", {
      reason: "Twilio shows auth tokens of subaccounts only to the parent's own auth token, not to an API key",
      fix: "configure the parent's auth token as TWILIO_AUTH_TOKEN",
    });
    return { kind: "unknown" };
  }

  function stranger(accountSid: string): TokenSearch {
    known.delete(accountSid);
    lookedAgainAt.delete(accountSid);
    if (strangers.size >= MOST_STRANGERS) strangers.clear();
    strangers.set(accountSid, now());
    return { kind: "not-ours" };
  }

  async function findInListing(accountSid: string): Promise<TokenSearch> {
    const askedAt = now();
    const complete = await Promise.race([freshListing(), clock.sleep(LOOK_UP_TIMEOUT_MS).then(() => false)]);
    const entry = known.get(accountSid);
    if (!complete && (entry === undefined || entry.readAt < askedAt)) return { kind: "unknown" };
    return entry === undefined ? { kind: "not-ours" } : { kind: "found", authToken: entry.authToken, fresh: true };
  }

  /** Whether our accounts have been listed, whole, within the last minute. */
  function freshListing(): Promise<boolean> {
    if (listing !== undefined) return listing;
    if (now() < nextListingAt) return Promise.resolve(now() - listedAt < LISTING_EVERY_MS);
    nextListingAt = now() + LISTING_EVERY_MS;
    listing = list().finally(() => {
      listing = undefined;
    });
    return listing;
  }

  async function list(): Promise<boolean> {
    log.warn("token-look-ups-over-bound", { firstLooks: FIRST_LOOKS_A_MINUTE, secondLooks: SECOND_LOOKS_A_MINUTE });
    const startedAt = now();
    const answer = await listAccounts(twilio, LOOK_UP_TIMEOUT_MS);
    if (answer.kind === "failed") {
      log.warn("account-listing-failed", { reason: describeFailure(answer.failure) });
      nextListingAt = startedAt + LISTING_AGAIN_AFTER_MS;
      return false;
    }
    const { accounts, setAside, incomplete } = answer.body;
    for (const account of accounts) {
      if (account.sid !== twilio.accountSid) remember(account, account.sid);
    }
    // Who is missing there may be on a page that did not come, or in a row that could not be read.
    if (incomplete !== null || setAside.length > 0) {
      const reason = incomplete === null ? "rows could not be understood" : describeFailure(incomplete);
      log.warn("account-listing-incomplete", { reason, setAside: setAside.length });
      nextListingAt = startedAt + LISTING_AGAIN_AFTER_MS;
      return false;
    }
    listedAt = startedAt;
    return true;
  }

  return { find, findAgain };
}
