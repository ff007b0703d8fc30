import { type OperatorRecord, parseRecords } from "./operator-record.ts";

/** A person who may use Tollbreaker. We keep no token, only its hash. */
export interface Operator {
  /** Goes into the record of everything the operator does, so it is unique. */
  name: string;
  /** The 32 bytes of the token's SHA-256. */
  sha256: Buffer;
  /** A viewer reads; an operator also acts. */
  role: "viewer" | "operator";
  /** From this moment on the operator is refused; null for never. */
  expires: Date | null;
  /** The Slack user who is this operator, unique too; null for none. */
  slack: string | null;
}

/** Reads who may use Tollbreaker now. Rejects when that can't be known: then nobody may. */
export type Operators = () => Promise<readonly Operator[]>;

/** Whether this operator may change anything. Who has expired is refused before this question. */
export function mayAct({ role }: Operator): boolean {
  return role === "operator";
}

export function isExpired({ expires }: Operator, now: Date): boolean {
  return expires !== null && expires <= now;
}

/**
 * Operators by what `read` returns each time, parsed again only when the text has changed.
 * Unset means that there are none. Rejects as `read` does, and with the errors of `parseOperators`.
 */
export function operatorsFrom(read: () => Promise<string | undefined>): Operators {
  let last: { text: string | undefined; operators: readonly Operator[] } | undefined;
  return async () => {
    const text = await read();
    if (last === undefined || last.text !== text) last = { text, operators: parseOperators(text) };
    return last.operators;
  };
}

/** @throws TollbreakerError `operators-invalid`, naming the entry; its message repeats no hash and no token. */
export function parseOperators(text: string | undefined): readonly Operator[] {
  return text === undefined ? [] : parseRecords(text).map(asOperator);
}

function asOperator({ name, sha256, role, expires, slack }: OperatorRecord): Operator {
  return {
    name,
    sha256: Buffer.from(sha256, "hex"),
    role,
    expires: expires === undefined ? null : new Date(expires),
    slack: slack ?? null,
  };
}
