import { stopped } from "../asking.ts";
import { cleanupWords, isCleanup } from "../checklist-words.ts";
import type { ChecklistView } from "../incident-view.ts";
import { printable, type Terminal } from "../terminal.ts";

/** What an operator answers to the check-list, and asks for beyond it. */
export interface Answers {
  acknowledge: readonly string[];
  cleanup: readonly string[];
}

type Item = ChecklistView["items"][number];

/** The items that are not known to be done, and that nothing answers yet. */
export function openItems(checklist: ChecklistView | null, { acknowledge, cleanup }: Answers): Item[] {
  const answered = new Set([...acknowledge, ...cleanup]);
  return (checklist?.items ?? []).filter(({ id, answer }) => answer !== "done" && !answered.has(id));
}

/** Asks for each open item, one by one. @throws Failure `stopped`. */
export async function askForEach(items: readonly Item[], given: Answers, terminal: Terminal): Promise<Answers> {
  let answers = given;
  for (const item of items) answers = await askFor(item, answers, terminal);
  return answers;
}

async function askFor({ id, why }: Item, answers: Answers, terminal: Terminal): Promise<Answers> {
  const { person, tell, shade } = terminal;
  if (person === undefined) return answers;
  tell(`\n${shade("bold", printable(id))}: ${printable(why)}`);
  if (isCleanup(id)) tell(`  c  clean up: ${cleanupWords(id)}`);
  tell("  a  acknowledge: comes back as it is\n  s  stop");
  for (;;) {
    const answer = (await person.ask(isCleanup(id) ? "c, a or s? " : "a or s? ")).toLowerCase();
    if (isOneOf(answer, "s", "stop")) throw stopped();
    if (isOneOf(answer, "a", "acknowledge")) return { ...answers, acknowledge: [...answers.acknowledge, id] };
    if (isCleanup(id) && isOneOf(answer, "c", "clean up", "cleanup"))
      return { ...answers, cleanup: [...answers.cleanup, id] };
  }
}

function isOneOf(answer: string, ...words: string[]): boolean {
  return words.includes(answer);
}
