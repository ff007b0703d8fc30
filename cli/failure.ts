import { type ErrorDetail, TollbreakerError } from "../lib/errors.ts";

/** What the process answers its caller with. Scripts rely on these: they are documented and never renumbered. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  notAuthorised: 5,
  refused: 6,
  wentWrong: 7,
  unknown: 8,
  drift: 9,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0  done
  1  the server refused or failed
  2  wrong usage: a command, an option or a variable
  3  the server cannot be reached
  4  not found
  5  not authorised: the token is missing, unknown or expired, or your role may not
  6  nothing was changed: it was refused, or you said no
  7  it was tried, and went wrong: the last lines say what is the case now
  8  not known yet: it goes on without this command line
  9  \`triggers plan --check\`: something is to be done`;

/** Ends a command: printed as a sentence with its fix, and turned into an exit code. */
export class Failure extends TollbreakerError {
  readonly exit: Exit;
  /** What else helps, each a line of its own. */
  readonly notes: readonly string[];

  constructor(
    exit: Exit,
    code: string,
    what: string,
    { notes = [], ...detail }: ErrorDetail & { notes?: readonly string[] } = {},
  ) {
    super(code, what, detail);
    this.exit = exit;
    this.notes = notes;
  }
}
