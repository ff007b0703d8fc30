import { stopped } from "../asking.ts";
import type { Terminal } from "../terminal.ts";
import { type Lacking, refuseUnasked } from "./unasked.ts";

export const YES_LACKING: Lacking = { flags: "--yes", what: "do it without asking once more" };

/** The last question before something happens. @throws Failure `stopped` unless the answer is yes. */
export async function confirm(question: string, { person }: Pick<Terminal, "person">): Promise<void> {
  if (person === undefined) throw refuseUnasked([YES_LACKING]);
  const answer = (await person.ask(`${question} Type yes: `)).toLowerCase();
  if (answer !== "yes" && answer !== "y") throw stopped();
}
