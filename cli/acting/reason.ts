import { reasonMistakes, tidyReason } from "../../lib/operators/commands/reason.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { type Lacking, refuseUnasked } from "./unasked.ts";

export const REASON_LACKING: Lacking = { flags: "--reason '...'", what: "why you do this, for the record" };

/** The reason given, or else the person's answer. @throws Failure for one that says too little, and for none. */
export async function requireReason(given: string | undefined, terminal: Terminal): Promise<string> {
  if (given !== undefined) return checkedReason(given);
  if (terminal.person === undefined) throw refuseUnasked([REASON_LACKING]);
  for (;;) {
    const reason = await terminal.person.ask("Why, for the record? ");
    const [mistake] = reasonMistakes(tidyReason(reason));
    if (mistake === undefined) return reason;
    terminal.tell(`${mistake.detail} Expected: ${mistake.expected ?? "more"}. Ctrl-C stops.`);
  }
}

/** @throws Failure for a reason that the server would refuse. */
export function checkedReason(reason: string): string {
  const [mistake] = reasonMistakes(tidyReason(reason));
  if (mistake === undefined) return reason;
  const { code, detail, expected = "", got = "" } = mistake;
  throw new Failure(EXIT.usage, code, detail, {
    expected,
    got,
    fix: "say with --reason why you do this, such as --reason 'leaked API key found and revoked'",
  });
}
