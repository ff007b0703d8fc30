import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { Log } from "../log.ts";
import type { TwilioClient } from "../twilio/client.ts";
import type { SignatureCheck } from "../twilio/signature.ts";
import { accountLooks, type Knowledge, type Look } from "./account-looks.ts";

/**
 * The auth tokens that sign webhooks: each account signs with its own primary token
 * (https://github.com/twilio/twilio-php/issues/436). A subaccount's token is read from the Accounts API with the
 * parent's credentials. A promoted token counts at once, and Twilio tells nobody: so a signature that does not match
 * proves nothing but against a token that was read after the request had come.
 */
export interface SigningTokens {
  /** A moment for `check`: now. */
  moment(): number;
  /** Whether `accountSid` signed a request that came at the moment `came`; just now, when left out. */
  check(accountSid: string, isSignedWith: SignatureCheck, came?: number): Promise<TokenCheck>;
  /** The same by what is known without asking Twilio: false says nothing. */
  isKnownToSign(accountSid: string, isSignedWith: SignatureCheck): Promise<boolean>;
  /** Whether the account is under our parent, from memory or looked up now; within three seconds. */
  ownership(accountSid: string): Promise<Ownership>;
}

export type TokenCheck =
  | { kind: "signed" }
  /** Not with a token that was read after the request had come. */
  | { kind: "not-signed" }
  | { kind: "not-ours" }
  | Undecided;

/** Could not be decided now: the sender should try again. `why` is for the count, not for the sender. */
export interface Undecided {
  kind: "undecided";
  why: string;
}

/** Unknown while Twilio does not say. */
type Ownership = "ours" | "not-ours" | "unknown";

export interface SigningTokensOptions {
  twilio: TwilioClient;
  parentToken: () => Promise<string | undefined>;
  clock: Clock;
  log: Log;
}

/** For all looks of one request, whichever it has to wait for; two seconds of the function's ten are for storing. */
const PATIENCE_MS = 8000;
/** What the parent signed counts without this answer, too. */
const OWNERSHIP_PATIENCE_MS = 2500;

export function signingTokens({ twilio, parentToken, clock, log }: SigningTokensOptions): SigningTokens {
  const looks = accountLooks({ twilio, clock, log });

  async function check(
    accountSid: string,
    isSignedWith: SignatureCheck,
    came: number = looks.moment(),
  ): Promise<TokenCheck> {
    const look = patientLook(accountSid, PATIENCE_MS);
    for (;;) {
      const known = looks.recall(accountSid);
      const isSigned = await isSignedByKnown(accountSid, known, isSignedWith);
      if (isSigned) return { kind: "signed" };
      if (known?.kind === "not-ours") return { kind: "not-ours" };
      if (known !== undefined && isTrueAfter(came, accountSid, known)) return { kind: "not-signed" };
      const looked = await look();
      if (looked === "not-ours") return { kind: "not-ours" };
      if (looked !== "read") return isSignedWithOld(known, isSignedWith) ? { kind: "signed" } : undecided(looked);
    }
  }

  async function isSignedByKnown(
    accountSid: string,
    known: Knowledge | undefined,
    isSignedWith: SignatureCheck,
  ): Promise<boolean> {
    if (known?.kind === "ours" && !known.token.isOld && isSignedWith(known.token.authToken)) return true;
    const configured = accountSid === twilio.accountSid ? await configuredToken() : undefined;
    return configured !== undefined && isSignedWith(configured);
  }

  /**
   * The parent's credentials are the configured token: while Twilio takes them, it is either the primary token, or the
   * secondary one beside the primary that was read. When it is promoted, it signs.
   */
  function isTrueAfter(came: number, accountSid: string, known: Knowledge): boolean {
    if (known.kind === "ours" && known.token.moment > came) return true;
    return accountSid === twilio.accountSid && looks.hasBeenLetInSince(came);
  }

  async function configuredToken(): Promise<string | undefined> {
    try {
      return await parentToken();
    } catch (error) {
      log.error("parent-token-unreadable", { reason: messageOf(error) });
      return undefined;
    }
  }

  /** Looks of one request, as long as it can wait. Whoever waited for a look that began before may look once more. */
  function patientLook(accountSid: string, patienceMs: number): () => Promise<Look | "late"> {
    const until = performance.now() + patienceMs;
    return async () => {
      const looked = await inTime(looks.look(accountSid), until - performance.now());
      return looked.kind === "in-time" ? looked.value : "late";
    };
  }

  async function ownership(accountSid: string): Promise<Ownership> {
    const known = accountSid === twilio.accountSid ? "ours" : looks.recall(accountSid)?.kind;
    if (known !== undefined) return known;
    const looked = await patientLook(accountSid, OWNERSHIP_PATIENCE_MS)();
    if (looked === "read") return "ours";
    return looked === "not-ours" ? "not-ours" : "unknown";
  }

  return {
    moment: looks.moment,
    check,
    isKnownToSign: (accountSid, isSignedWith) => isSignedByKnown(accountSid, looks.recall(accountSid), isSignedWith),
    ownership,
  };
}

// While Twilio cannot be asked, the last token known is better than a lost webhook.
function isSignedWithOld(known: Knowledge | undefined, isSignedWith: SignatureCheck): boolean {
  return known?.kind === "ours" && isSignedWith(known.token.authToken);
}

function undecided(looked: "failed" | "not-allowed" | "late"): Undecided {
  const whys = { failed: "no-answer-from-twilio", "not-allowed": "look-ups-spent", late: "twilio-slow" } as const;
  return { kind: "undecided", why: whys[looked] };
}
