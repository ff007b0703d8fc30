/**
 * Markdown (GitHub's kind) around texts that others chose. A text never begins a line, opens a link, an image or HTML,
 * nor ends the cell that it stands in.
 */

// Controls, format characters (bidirectional overrides, zero-width), lone surrogates, line and paragraph separators.
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
// Any of these may be escaped with a backslash: https://spec.commonmark.org/0.31.2/#backslash-escapes
const MEANINGFUL = /[\\`*_[\]<>|~&$]/g;
// GitHub makes links of what looks like one: https://github.github.com/gfm/#autolinks-extension-
const LINK_LIKE = /:(?=\/\/)|(?<=\bwww)\.|@/gi;

/** On one line, as it is read. */
export function plain(text: string): string {
  return oneLine(text)
    .replace(MEANINGFUL, "\\$&")
    .replace(LINK_LIKE, (sign) => (sign === "@" ? "&#64;" : `\\${sign}`));
}

/** As code: for names that are typed or searched for. */
export function code(text: string): string {
  const line = oneLine(text);
  if (line === "") return "";
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  // Within a table even code must not hold a bare pipe: https://github.github.com/gfm/#example-200
  const body = line.replaceAll("|", "\\|");
  return longest === 0 ? `${fence}${body}${fence}` : `${fence} ${body} ${fence}`;
}

export function heading(level: 1 | 2, text: string): string {
  return `${"#".repeat(level)} ${text}`;
}

/** Rows of Markdown; the empty text without any. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `|${cells.map((cell) => (cell === "" ? " " : ` ${cell} `)).join("|")}|`;
  return [line(titles), `|${"---|".repeat(titles.length)}`, ...rows.map(line)].join("\n");
}

/** Names with their values, those left out whose value is null. */
export function facts(rows: readonly (readonly [name: string, value: string | null])[]): string {
  const known = rows.flatMap(([name, value]) => (value === null || value === "" ? [] : [[name, value]]));
  return table(["", ""], known);
}

function oneLine(text: string): string {
  return text.replace(UNSHOWABLE, " ").replace(/\s+/g, " ").trim();
}
