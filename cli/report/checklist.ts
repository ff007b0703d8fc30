import { seenOtherwise } from "../checklist-words.ts";
import type { CheckView, IncidentStory, ReactivationView } from "../incident-view.ts";
import { code, plain, table } from "./markdown.ts";
import { exact } from "./times.ts";

/** Each item, what was seen, and how whoever brought the account back answered it. */
export function checklist({ checklist: list, reactivation }: IncidentStory): string {
  if (list === null) return "";
  const rows = list.items.map((item) => [
    code(item.id),
    plain(item.answer),
    plain(item.why),
    item.answer === "done" ? "" : plain(answered(item, reactivation)),
  ]);
  const extra = beyond(
    list.items.map(({ id }) => id),
    reactivation,
  );
  return [`Read ${exact(list.readAt)}.`, table(["Item", "Answer", "What was seen", "How it was answered"], rows), extra]
    .filter((part) => part !== "")
    .join("\n\n");
}

function answered(item: CheckView, reactivation: ReactivationView | null): string {
  if (reactivation === null) return "not yet";
  const { id } = item;
  const { cleanup, cleaned, acknowledge, operator } = reactivation;
  if (cleaned.includes(id)) return `cleaned up, as ${operator} asked`;
  if (cleanup.includes(id)) return `${operator} asked to have it cleaned up; it was not`;
  if (!acknowledge.includes(id)) return "not answered";
  const other = seenOtherwise(item, reactivation);
  return other === undefined ? `acknowledged by ${operator}` : `${operator} acknowledged something else: ${other.why}`;
}

/** Clean-ups that belong to no item. */
function beyond(items: readonly string[], reactivation: ReactivationView | null): string {
  const { cleanup = [], cleaned = [], countries = [] } = reactivation ?? {};
  const others = cleanup
    .filter((id) => !items.includes(id))
    .map((id) => {
      const where = id === "voice-countries" ? ` (${plain(countries.join(", "))})` : "";
      return `${code(id)}${where}${cleaned.includes(id) ? "" : ", not done"}`;
    });
  return others.length === 0 ? "" : `Cleaned up besides: ${others.join("; ")}.`;
}
