import { cut } from "../../cut.ts";
import type { Mistake } from "../../http/problem.ts";
import { LEAST_REASON, MOST_REASON } from "../../inbox/commands.ts";

/** Fewer different letters and digits than this are a key held down, not a reason. */
const LEAST_DIFFERENT = 4;

/** The reason as it goes into the record: one line, and no character that a terminal would obey or nobody can see. */
export function tidyReason(given: string): string {
  return given
    .toWellFormed()
    .replace(/\p{Cf}+/gu, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** What is wrong with a tidied reason; none when it says something. */
export function reasonMistakes(reason: string): Mistake[] {
  if (reason.length > MOST_REASON) return [tooLong(reason)];
  const letters = reason.toLowerCase().match(/[\p{L}\p{N}]/gu) ?? [];
  const says = reason.length >= LEAST_REASON && new Set(letters).size >= LEAST_DIFFERENT;
  return says ? [] : [tooShort(reason)];
}

const EXPECTED = `${LEAST_REASON} to ${MOST_REASON} characters, of words`;

function tooShort(reason: string): Mistake {
  return {
    code: "reason-too-short",
    detail: "The reason says too little for whoever reads the record later.",
    expected: EXPECTED,
    got: JSON.stringify(cut(reason, 80)),
    fix: 'say in `reason` why you do this, such as "leaked API key found and revoked"',
  };
}

function tooLong(reason: string): Mistake {
  return {
    code: "reason-too-long",
    detail: "The reason is too long for the record.",
    expected: EXPECTED,
    got: `${reason.length} characters`,
    fix: "shorten `reason`; link to a longer text",
  };
}
