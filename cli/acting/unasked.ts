import { EXIT, Failure } from "../failure.ts";

/** Something that a person would be asked for, and the flags that answer it. */
export interface Lacking {
  flags: string;
  what: string;
}

/** For a command line that nobody sits in front of, and that does not say everything itself. */
export function refuseUnasked(lacking: readonly Lacking[]): Failure {
  return new Failure(EXIT.usage, "answers-missing", "Nobody can be asked here, and the command line lacks answers.", {
    expected: lacking.map(({ flags }) => flags).join(", "),
    fix: "add them, or run it in a terminal",
    notes: lacking.map(({ flags, what }) => `${flags}: ${what}`),
  });
}
