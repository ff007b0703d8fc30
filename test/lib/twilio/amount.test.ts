import { expect, test } from "vitest";
import { amountOf } from "../../../lib/twilio/amount.ts";

test.each([
  ["1000.000000", "1000.000000"],
  ["+81", "81"],
  ["1E+2", "100"],
  [60.52, "60.52"],
  [1e-7, "0.0000001"],
  [0, "0"],
  ["", null],
  ["N/A", null],
  [null, null],
  [undefined, null],
  // JSON holds larger numbers than JavaScript does
  [JSON.parse("1e400"), null],
  [1e300, null],
  [{ amount: 5 }, null],
  // Which JavaScript would write as 5
  [["5"], null],
])("%j as an amount of Twilio's is %j", (value, amount) => expect(amountOf(value)).toBe(amount));
