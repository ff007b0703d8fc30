/**
 * The one family of errors this project throws on purpose. A message is made of what failed, what was expected, what
 * came and how to mend it, because the person who reads it may have been woken by it.
 */
export class TollbreakerError extends Error {
  /** Stable, machine-readable, kebab-case: documented in docs/errors.md, never reworded. */
  readonly code: string;
  readonly expected: string | undefined;
  readonly got: string | undefined;
  readonly fix: string | undefined;

  constructor(code: string, what: string, detail: ErrorDetail = {}) {
    super(sentence(what, detail), { cause: detail.cause });
    this.name = "TollbreakerError";
    this.code = code;
    this.expected = detail.expected;
    this.got = detail.got;
    this.fix = detail.fix;
  }
}

export interface ErrorDetail {
  expected?: string;
  got?: string;
  fix?: string;
  cause?: unknown;
}

function sentence(what: string, { expected, got, fix }: ErrorDetail): string {
  const parts = [what];
  if (expected !== undefined) parts.push(`Expected: ${expected}.`);
  if (got !== undefined) parts.push(`Got: ${got}.`);
  if (fix !== undefined) parts.push(`Fix: ${fix}.`);
  return parts.join(" ");
}

/** The text of anything that was thrown, for logs and records. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
