import { messageOf } from "../errors.ts";
import type { Operator, Operators } from "../operators/operators.ts";
import type { Secret } from "../secrets.ts";
import type { Budget } from "./budget.ts";

/** What came of reading something. */
type Reading<T> = { kind: "read"; value: T } | { kind: "unread"; reason: string };

/** What each request needs, and each may have to come from Parameter Store. None of these promises rejects. */
export interface Readings {
  signingSecret: Promise<Reading<string | undefined>>;
  botToken: Promise<Reading<string | undefined>>;
  operators: Promise<Reading<readonly Operator[]>>;
}

export interface ReadingsParts {
  signingSecret: Secret;
  botToken: Secret;
  operators: Operators;
}

/** Begins all of them at once: one after the other, a slow Parameter Store would use up Slack's three seconds. */
export function readAtOnce({ signingSecret, botToken, operators }: ReadingsParts, budget: Budget): Readings {
  return {
    signingSecret: readingOf(signingSecret, budget),
    botToken: readingOf(botToken, budget),
    operators: readingOf(operators, budget),
  };
}

async function readingOf<T>(read: () => Promise<T>, budget: Budget): Promise<Reading<T>> {
  try {
    const spent = await budget.spend(read);
    return spent.kind === "late"
      ? { kind: "unread", reason: "no answer in time" }
      : { kind: "read", value: spent.value };
  } catch (error) {
    return { kind: "unread", reason: messageOf(error) };
  }
}
