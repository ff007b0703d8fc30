/** At most so many characters (code points) of text from outside: no character is cut in two, and half of one is replaced. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text.toWellFormed();
  // Each takes two code units at most: the rest of a long text need not be looked at.
  return [...text.slice(0, 2 * most)].slice(0, most).join("").toWellFormed();
}
