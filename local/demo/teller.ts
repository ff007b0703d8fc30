/** How a story gets onto the terminal. */
export interface Teller {
  /** A line as it is. */
  say(line?: string): void;
  /** A line of the story, with the seconds since it began. */
  tell(line: string): void;
  /** Lines that belong to the one before. */
  quote(lines: readonly string[]): void;
  /** One row of a table: what, how much, and a remark. */
  row(what: string, amount: string, note?: string): void;
}

/** The clock of the story starts with its first line. */
export function teller(print: (line: string) => void): Teller {
  let begun: number | undefined;
  const seconds = () => {
    begun ??= Date.now();
    return ((Date.now() - begun) / 1000).toFixed(1);
  };
  return {
    say: (line = "") => print(line),
    tell: (line) => print(`  ${`+${seconds()}`.padStart(6)} s  ${line}`),
    quote: (lines) => lines.forEach((line) => void print(`             | ${line}`)),
    row: (what, amount, note = "") => print(`  ${what.padEnd(30)} ${amount.padStart(12)}   ${note}`.trimEnd()),
  };
}

export const dollars = (amount: number): string =>
  amount.toLocaleString("en-US", { style: "currency", currency: "USD" });

export const many = (count: number): string => count.toLocaleString("en-US");
