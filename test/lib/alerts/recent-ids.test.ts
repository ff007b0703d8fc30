import { expect, it } from "vitest";
import { recentIds } from "../../../lib/alerts/recent-ids.ts";

it("remembers the last ones and forgets the oldest first", () => {
  const ids = recentIds(3);
  for (const id of ["a", "b", "c", "c", "d"]) ids.add(id);
  expect(["a", "b", "c", "d"].map((id) => ids.has(id))).toEqual([false, true, true, true]);
});
