import { describe, expect, it } from "vitest";
import { median } from "../../bench/median.ts";
import { asTable } from "../../bench/print.ts";
import { row } from "../../bench/row.ts";

const measured = { measure: "import", unit: "ms", ours: 30 } as const;

describe("a row", () => {
  it("compares with its peer, and the ratio with the aim", () => {
    const peer = { name: "naive", value: 100 };
    expect(row({ ...measured, peer, aim: { atMost: 0.3 } })).toMatchObject({ ratio: 0.3, met: true });
    expect(row({ ...measured, peer, aim: { atMost: 0.29 } })).toMatchObject({ ratio: 0.3, met: false });
    expect(row({ ...measured, peer, aim: { atLeast: 0.31 } })).toMatchObject({ met: false });
  });

  it("without a peer, compares ours with the aim", () => {
    expect(row({ ...measured, aim: { atMost: 30 } })).toMatchObject({ peer: null, ratio: null, met: true });
    expect(row({ ...measured, aim: { atMost: 29 } })).toMatchObject({ met: false });
  });

  it("promises nothing without an aim", () => {
    expect(row(measured)).toMatchObject({ aim: null, met: null });
  });

  it("says in the table that an aim was missed", () => {
    const table = asTable([row({ ...measured, peer: { name: "naive", value: 40 }, aim: { atMost: 0.4 } })]);
    expect(table).toMatch(/import +│ 30\.0 ms │ 40\.0 ms, naive │ +0\.75 │ at most 0\.4 │ NO/);
  });
});

describe("the median", () => {
  it("is the middle, or between the two in the middle", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 6])).toBe(5.5);
  });

  it("of nothing is refused", () => {
    expect(() => median([])).toThrow(RangeError);
  });
});
