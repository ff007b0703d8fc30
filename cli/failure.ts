import { type ErrorDetail, TollbreakerError } from "../lib/errors.ts";

/** What the process answers its caller with. Scripts rely on these: they are documented and never renumbered. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  notAuthorised: 5,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0  done
  1  the server refused or failed
  2  wrong usage: a command, an option or a variable
  3  the server cannot be reached
  4  not found
  5  not authorised: the token is missing, unknown or expired`;

/** Ends a command: printed as a sentence with its fix, and turned into an exit code. */
export class Failure extends TollbreakerError {
  readonly exit: Exit;

  constructor(exit: Exit, code: string, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail);
    this.exit = exit;
  }
}
