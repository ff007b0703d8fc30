import { expect, it } from "vitest";
import { dollars, many, teller } from "../../../local/demo/teller.ts";

it("the clock of a story starts with its first line", async () => {
  const lines: string[] = [];
  const { say, tell, quote, row } = teller((line) => lines.push(line));
  await new Promise((resolve) => setTimeout(resolve, 150));
  say("Once");
  tell("it began.");
  quote(["said"]);
  row("spent", dollars(1234.5), "");
  say();
  expect(lines).toEqual([
    "Once",
    "    +0.0 s  it began.",
    "             | said",
    "  spent                             $1,234.50",
    "",
  ]);
  expect(many(13_000)).toBe("13,000");
});
