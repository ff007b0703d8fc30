import { expect, test } from "vitest";
import { decimal, money } from "../../../lib/alerts/amounts.ts";

test.each([
  ["1000.500000", "1,000.5"],
  ["+81", "81"],
  ["-1234567", "-1,234,567"],
  ["1E+2", "100"],
  [" .5", "0.5"],
  ["0.000000000000000000000000000001", "0.000000000000000000000000000001"],
  ["1e400", "1e400"],
  ["lots\nmore", "lots more"],
  ["", "an unreadable amount"],
])("%j reads as %s", (text, shown) => expect(decimal(text)).toBe(shown));

test.each([
  ["60.5", "USD", "60.50 USD"],
  ["+81", null, "81"],
  ["lots", "USD", "lots USD"],
])("%s in %s reads as %s", (text, currency, shown) => expect(money(text, currency)).toBe(shown));
