import { canBeAcknowledged, cleanupWords, digestLine, isCleanup } from "./checklist-words.ts";
import type { ChecklistView } from "./incident-view.ts";
import { type Colour, type Paint, printable } from "./terminal.ts";

const MARKS: Readonly<Record<string, readonly [mark: string, colour: Colour]>> = {
  done: ["✓", "green"],
  "not-done": ["✗", "red"],
};

const ID_WIDTH = 14;

/** Each item on a line of its own; under an open one, what can be done about it. */
export function checklistLines({ items, digest }: ChecklistView, paint: Paint): string[] {
  const lines = items.flatMap((item) => {
    const { id, answer, why } = item;
    const [mark, colour] = MARKS[answer] ?? ["?", "yellow"];
    const line = `  ${paint(colour, mark)} ${printable(id).padEnd(ID_WIDTH)}${printable(why)}`;
    return answer === "done" ? [line] : [line, ...waysOut(item).map((way) => `    ${" ".repeat(ID_WIDTH)}${way}`)];
  });
  const isAnswered = items.some((item) => item.answer !== "done" && canBeAcknowledged(item));
  return digest === undefined || !isAnswered ? lines : [...lines, `  ${paint("dim", printable(digestLine(digest)))}`];
}

function waysOut(item: ChecklistView["items"][number]): string[] {
  const { id } = item;
  const acknowledge = `--acknowledge ${printable(id)}`;
  const ways = [
    ...(isCleanup(id) ? [[`--cleanup ${id}`, cleanupWords(id)] as const] : []),
    ...(canBeAcknowledged(item) ? [[acknowledge, "comes back as it is"] as const] : []),
  ];
  return ways.map(([flag, what]) => `${flag.padEnd(acknowledge.length)}  ${what}`);
}
