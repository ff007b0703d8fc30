import { otherTollbreakers } from "../triggers/other-tollbreaker.ts";
import { isSoonAgain, type Repetition } from "./repeated-drift.ts";
import type { Sweeper } from "./sweeper.ts";
import type { Read } from "./swept.ts";

/** Whoever can sign for the account can make up any number of them. */
const MOST_TOLD = 5;

/** What people are told of other Tollbreakers on an account. */
export interface OthersFound {
  /** Whether there is one. What is put right then may be its work: nobody is accused. */
  isAny: boolean;
  /** Those to be told of now, by their public URLs. */
  told: readonly string[];
}

/**
 * Another stage on the same parent, or an earlier region. Told once; and again where ours had to be put right, as often as
 * that would be told otherwise: an attacker may call himself a Tollbreaker.
 */
export async function tellOfOthers(
  { memory, publicUrl }: Pick<Sweeper, "memory" | "publicUrl">,
  { account, known, triggers }: Read,
  { renewed, repeated }: { renewed: readonly string[] } & Pick<Repetition, "repeated">,
  now: Date,
): Promise<OthersFound> {
  const urls = otherTollbreakers(triggers, publicUrl).slice(0, MOST_TOLD);
  if (urls.length === 0) return { isAny: false, told: [] };
  const room = Math.max(0, MOST_TOLD - known.othersTold.length);
  const untold = urls.filter((url) => !known.othersTold.includes(url)).slice(0, room);
  if (untold.length > 0) await memory.noteOthersTold(account.accountSid, [...known.othersTold, ...untold]);
  const isTold = isSoonAgain(known.memory?.drift ?? null, renewed, now) && repeated.length === 0;
  return { isAny: true, told: renewed.length > 0 && !isTold ? urls : untold };
}
