import type { Containment } from "../incidents/incident.ts";
import { type Account, fetchAccount, requestSuspension } from "../twilio/accounts.ts";
import { type Until, waitToRetry } from "../twilio/backoff.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { describeFailure, noAnswer, type TwilioFailure } from "../twilio/failures.ts";
import { extended, LAST_LOOK_MS, limitedTo, NO_SOONER_MS } from "./time-limit.ts";

/** `account` is what was seen of it last; null where nothing was. */
export type Suspension =
  /** `at` is when Twilio said so. `asked`: a request of ours went before it, now. */
  | { kind: "suspended"; by: Containment["by"]; account: Account | null; at: Date; asked: boolean }
  /** It was not asked for: the brake holds. */
  | { kind: "held"; account: Account }
  /** Trying again will not help: a person is needed. `notOurs`: no account under our parent has this SID. */
  | { kind: "refused"; twilioCode: number | null; message: string; notOurs?: boolean; account: Account | null }
  /** Twilio did not confirm it within the time; where it was asked, it may still come true. */
  | { kind: "unconfirmed"; twilioCode: number | null; message: string; asked: boolean; account: Account | null };

export interface Asking {
  /** Whether the brake lets it through. Called once at most, and only for an account that is, or may be, active. */
  mayAsk: () => Promise<boolean>;
  /** Called right before each request for a suspension. */
  onAsking?: (() => void) | undefined;
  /**
   * That the account is ours is known without a reading: what it signed was verified with the token that our parent was
   * shown. Where the reading is late, it is asked for without it.
   */
  isProven?: boolean | undefined;
  /** By our own record we asked in an earlier try: found suspended, it is our doing. */
  askedBefore?: boolean | undefined;
  /** It is asked for even if the account reads as suspended: a request for the contrary may still be on its way. */
  evenIfSuspended?: boolean | undefined;
  /** A reading that is under way already. */
  firstReading?: Promise<Answer<Account>> | undefined;
}

/** For an answer; then the next step is begun beside it. Twice as long with each round. */
const FIRST_PATIENCE_MS = 2000;
/** For a reading in a later round, where an account is known to be ours: an answer usually comes within it. */
const ANOTHER_READING_MS = 500;
const TIMERS_ARE_EARLY_MS = 20;
/** Lists and replicas lag: an account is unknown to Twilio where it is unknown twice, so long apart. */
const UNKNOWN_TWICE_MS = 1000;

/**
 * Suspends a subaccount, in rounds: read it ─ ask ─ read it back. The only way to success is an answer of Twilio's that
 * says `suspended` for this account under our parent, so that a time-out, a cut connection or a status update that
 * changed nothing need no handling of their own: the next round tells.
 *
 * A slow Twilio is not asked less. No request is cut short before the time is over: whoever loses patience begins the
 * next step beside it, and what an earlier request answers late counts like any other answer.
 *
 * Can be repeated at any time. Never touches the parent, an account that is not ours, or a closed one.
 * @param until when the last round begins; what is read back may take LAST_LOOK_MS longer
 */
export async function suspendAccount(
  twilio: TwilioClient,
  accountSid: string,
  until: Until,
  asking: Asking,
): Promise<Suspension> {
  if (accountSid === twilio.accountSid) return refused("the parent account cannot be suspended", null);
  const talk = talkAbout(twilio, accountSid, until, asking);
  for (let round = 0; ; round++) {
    const patience = FIRST_PATIENCE_MS * 2 ** round;
    const step = await talk.readAskReadBack(patience);
    if (step.kind !== "not-yet") return step;
    if (await waitForNextRound(until, round, step)) continue;
    const last = await talk.askUnlessAsked(step, patience);
    return last.kind === "not-yet" ? talk.unconfirmed(last) : last;
  }
}

/** Where one round ended. */
type Step = Suspension | NotYet;
interface NotYet {
  kind: "not-yet";
  /** Undefined where Twilio did not fail, but the account still reads as active. */
  failure: TwilioFailure | undefined;
}

/** What one answer of Twilio's says. */
type Word =
  | Extract<Suspension, { kind: "suspended" | "refused" }>
  /** `asks`: how often it had been asked for when the reading was begun. */
  | { kind: "active"; account: Account; asks: number }
  /** Twilio's answer to the request says `suspended`. */
  | { kind: "accepted"; account: Account }
  | NotYet;

async function waitForNextRound(until: Until, round: number, { failure }: NotYet): Promise<boolean> {
  if (failure?.kind !== "not-found") return waitToRetry(until, round);
  if (until.clock.now().getTime() + UNKNOWN_TWICE_MS >= until.deadline) return false;
  await until.clock.sleep(UNKNOWN_TWICE_MS);
  return true;
}

function talkAbout(twilio: TwilioClient, accountSid: string, until: Until, asking: Asking) {
  const { clock, deadline } = until;
  const inTime = limitedTo(twilio, until);
  const afterwards = limitedTo(twilio, extended(until, LAST_LOOK_MS));
  const now = () => clock.now().getTime();
  const begunAt = now();
  /** Until then an account that is known to be ours is read before it is asked for; a reading gets no more than half of a short time. */
  const readUntil = begunAt + Math.min(FIRST_PATIENCE_MS, (deadline - begunAt) / 2);
  const underWay = new Set<Promise<Word>>();
  let firstReading = asking.firstReading;
  let account: Account | null = null;
  let asks = 0;
  /** Whether Twilio answered a request of ours with anything but an error. */
  let wasTaken = false;
  let permitted: boolean | undefined;
  let unknownSince: number | undefined;
  /** What Twilio said last in refusal; says more than that its next answer was late. */
  let lastSaid: TwilioFailure | undefined;

  async function readAskReadBack(patience: number): Promise<Step> {
    const before = await hear(read(inTime), isOurs() ? readingPatience() : patience);
    if (isTheEnd(before)) return before;
    if (before.kind === "accepted") return readBack(before, patience);
    if (before.kind === "not-yet" && !mayAskUnread()) return before;
    return askReadBack(before, patience);
  }

  /** The time is over without another reading: one that only failed is no reason not to ask. */
  async function askUnlessAsked(step: NotYet, patience: number): Promise<Step> {
    return asks > 0 || !isOurs() || now() >= deadline ? step : askReadBack(step, patience);
  }

  async function askReadBack(before: Extract<Word, { kind: "active" | "not-yet" }>, patience: number): Promise<Step> {
    if (!(await isPermitted())) return account === null ? notYet(failureIn(before)) : { kind: "held", account };
    const meanwhile = await hear(Promise.resolve(notYet(undefined)), 0);
    if (isTheEnd(meanwhile)) return meanwhile;
    if (meanwhile.kind === "accepted") return readBack(meanwhile, patience);
    if (now() >= deadline) return notYet(failureIn(before));
    const answer = await hear(ask(), patience);
    if (isTheEnd(answer)) return answer;
    // "Never processed and is always safe to retry": https://www.twilio.com/docs/api/errors/20429
    if (answer.kind === "not-yet" && answer.failure?.status === 429) return answer;
    return readBack(answer, patience);
  }

  /** Where the reading is late or fails, Twilio's answer to the request itself is its word. */
  async function readBack(answer: Word, patience: number): Promise<Step> {
    const accepted = answer.kind === "accepted" ? answer.account : undefined;
    const after = await hear(read(afterwards), accepted === undefined ? patience : FIRST_PATIENCE_MS);
    if (isTheEnd(after)) return after;
    if (after.kind === "active") return notYet(failureIn(answer));
    const told = after.kind === "accepted" ? after.account : accepted;
    return told === undefined ? notYet(failureIn(after) ?? failureIn(answer)) : suspended("tollbreaker", told);
  }

  /**
   * What comes first: the answer to this request, what an earlier one says late, or the end of our patience. A reading that
   * was begun before the last request says nothing of what that one did.
   */
  async function hear(request: Promise<Word>, patience: number): Promise<Word> {
    underWay.add(request);
    const end = new AbortController();
    const patient = clock.sleep(patience, end.signal).then(() => undefined);
    try {
      for (;;) {
        const answers = [...underWay].map((one) => one.then((word) => ({ one, word })));
        const first = await Promise.race([...answers, patient]);
        if (first === undefined) return notYet(noAnswer("no answer in time"));
        underWay.delete(first.one);
        if (first.one === request || !isOfNoUse(first.word)) return first.word;
      }
    } finally {
      end.abort();
    }
  }

  function isOfNoUse(word: Word): boolean {
    return word.kind === "not-yet" || (word.kind === "active" && word.asks < asks);
  }

  async function read(client: TwilioClient): Promise<Word> {
    const asksBefore = asks;
    const reading = await (firstReading ?? fetchAccount(client, accountSid, NO_SOONER_MS));
    firstReading = undefined;
    if (reading.kind === "failed") return wordOf(reading.failure);
    const judged = judge(reading.body);
    if (judged !== undefined) return judged;
    account = reading.body;
    switch (account.status) {
      case "closed":
        return suspended("closed", account);
      case "suspended":
        if (asking.evenIfSuspended === true && !wasTaken) return { kind: "active", account, asks: asksBefore };
        return suspended(asksBefore > 0 || asking.askedBefore === true ? "tollbreaker" : "already-suspended", account);
      case "active":
        return { kind: "active", account, asks: asksBefore };
    }
  }

  async function ask(): Promise<Word> {
    asks += 1;
    asking.onAsking?.();
    const answer = await requestSuspension(inTime, accountSid, NO_SOONER_MS);
    if (answer.kind === "failed") return wordOf(answer.failure);
    const judged = judge(answer.body);
    if (judged !== undefined) return judged;
    account = answer.body;
    wasTaken = true;
    if (account.status === "closed") return suspended("closed", account);
    return account.status === "suspended" ? { kind: "accepted", account } : notYet(undefined);
  }

  /** Undefined where it is about this account, and ours. An answer about another one is somebody's mistake on the way. */
  function judge({ sid, ownerAccountSid: owner }: Account): Word | undefined {
    if (sid !== accountSid) return notYet(noAnswer(`Twilio answered for ${sid} instead of ${accountSid}`));
    if (owner === twilio.accountSid) return undefined;
    return { ...refused(`the account belongs to ${owner}, not to ${twilio.accountSid}`, null), notOurs: true };
  }

  function wordOf(failure: TwilioFailure): Word {
    const { kind, code, status } = failure;
    if (status !== null) lastSaid = failure;
    switch (kind) {
      // Twilio's own suspension (21478) and a closed account (21479) are as good as ours: no traffic passes.
      case "already-contained":
        return suspended(code === 21479 ? "closed" : "suspended-by-twilio", account);
      case "terminal":
        return { ...refused(describeFailure(failure), account), twilioCode: code };
      case "not-found":
        return isNobodys()
          ? { ...refused(describeFailure(failure), null), twilioCode: code, notOurs: true }
          : notYet(failure);
      case "retryable":
        return notYet(failure);
    }
  }

  /** Twilio does not know it, and nothing else is known of it. */
  function isNobodys(): boolean {
    if (isOurs() || asking.askedBefore === true) return false;
    unknownSince ??= now();
    return now() - unknownSince >= UNKNOWN_TWICE_MS;
  }

  function isOurs(): boolean {
    return asking.isProven === true || account !== null;
  }

  function readingPatience(): number {
    const left = readUntil - now();
    return left > 0 ? left : Math.min(ANOTHER_READING_MS, (deadline - now()) / 2);
  }

  function mayAskUnread(): boolean {
    return isOurs() && permitted !== false && now() >= readUntil - TIMERS_ARE_EARLY_MS;
  }

  async function isPermitted(): Promise<boolean> {
    permitted ??= await asking.mayAsk();
    return permitted;
  }

  function suspended(by: Containment["by"], seen: Account | null): Extract<Suspension, { kind: "suspended" }> {
    return { kind: "suspended", by, account: seen, at: clock.now(), asked: asks > 0 };
  }

  function unconfirmed({ failure: last }: NotYet): Suspension {
    const failure = last?.status === null ? (lastSaid ?? last) : last;
    const message =
      failure === undefined
        ? "Twilio accepted the suspension, but the account still reads as active"
        : describeFailure(failure);
    return { kind: "unconfirmed", twilioCode: failure?.code ?? null, message, asked: asks > 0, account };
  }

  return { readAskReadBack, askUnlessAsked, unconfirmed };
}

function isTheEnd(word: Word): word is Extract<Word, { kind: "suspended" | "refused" }> {
  return word.kind === "suspended" || word.kind === "refused";
}

function notYet(failure: TwilioFailure | undefined): NotYet {
  return { kind: "not-yet", failure };
}

function failureIn(word: Word): TwilioFailure | undefined {
  return word.kind === "not-yet" ? word.failure : undefined;
}

function refused(message: string, account: Account | null): Extract<Suspension, { kind: "refused" }> {
  return { kind: "refused", twilioCode: null, message, account };
}
