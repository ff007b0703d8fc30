import { cleanupWords, isCleanup } from "./checklist-words.ts";
import type { ChecklistView } from "./incident-view.ts";
import { type Colour, type Paint, printable } from "./terminal.ts";

const MARKS: Readonly<Record<string, readonly [mark: string, colour: Colour]>> = {
  done: ["✓", "green"],
  "not-done": ["✗", "red"],
};

const ID_WIDTH = 14;

/** Each item on a line of its own; under an open one, what can be done about it. */
export function checklistLines({ items }: ChecklistView, paint: Paint): string[] {
  return items.flatMap(({ id, answer, why }) => {
    const [mark, colour] = MARKS[answer] ?? ["?", "yellow"];
    const line = `  ${paint(colour, mark)} ${printable(id).padEnd(ID_WIDTH)}${printable(why)}`;
    return answer === "done" ? [line] : [line, ...waysOut(id).map((way) => `    ${" ".repeat(ID_WIDTH)}${way}`)];
  });
}

function waysOut(id: string): string[] {
  const acknowledge = [`--acknowledge ${printable(id)}`, "comes back as it is"] as const;
  const ways = isCleanup(id) ? [[`--cleanup ${id}`, cleanupWords(id)] as const, acknowledge] : [acknowledge];
  return ways.map(([flag, what]) => `${flag.padEnd(acknowledge[0].length)}  ${what}`);
}
