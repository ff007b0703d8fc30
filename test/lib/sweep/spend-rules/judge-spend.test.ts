import { describe, expect, test } from "vitest";
import type { Rate, Spike } from "../../../../lib/policy/policy.ts";
import { judgeSpend } from "../../../../lib/sweep/spend-rules/judge-spend.ts";
import type { SpendSample } from "../../../../lib/sweep/spend-rules/sample.ts";
import fc from "../../../support/fast-check.ts";
import { DAY, HOUR, MINUTE, officeHours, type Pace, sample, seen, time } from "./series.ts";

const SPIKE: Spike = {
  kind: "spike",
  category: "totalprice",
  by: "price",
  times: 8,
  over: 7 * DAY,
  atLeast: "20",
  then: "suspend",
};
const RATE: Rate = { kind: "rate", category: "totalprice", by: "price", at: "30", then: "suspend" };

/** Of an account with this pace, at this time. */
function spikeAt(until: number, pace: Pace, from = 0) {
  return judgeSpend(SPIKE, seen(pace, { until, from }), time(until));
}

/** Whether it trips at any hour of these days. */
function everTrips(pace: Pace, fromDay: number, toDay: number, rule: Spike = SPIKE): boolean {
  const samples = seen(pace, { until: toDay * DAY });
  for (let until = fromDay * DAY; until <= toDay * DAY; until += HOUR / 2) {
    if (judgeSpend(rule, upTo(until, samples), time(until)).kind === "tripped") return true;
  }
  return false;
}

function upTo(until: number, samples: readonly SpendSample[]): SpendSample[] {
  const now = time(until).toISOString();
  const since = time(until - 8 * DAY).toISOString();
  return samples.filter(({ at }) => at <= now && at >= since);
}

const attack =
  (begin: number, anHour: number): Pace =>
  (since) =>
    since >= begin ? anHour : 0;
const both =
  (...paces: Pace[]): Pace =>
  (since) =>
    paces.reduce((sum, pace) => sum + pace(since), 0);

describe("a spike", () => {
  test("is none where the same is spent at all times", () => {
    expect(spikeAt(9.5 * DAY, () => 30)).toEqual({ kind: "quiet", thisHour: "30", usual: "30" });
    expect(everTrips(() => 30, 3, 8)).toBe(false);
  });

  test("is none where more is spent from day to day", () => {
    expect(everTrips((since) => 10 * 1.1 ** (since / DAY), 3, 14)).toBe(false);
  });

  test("is none where the office opens, not even on the Monday after a week-end", () => {
    expect(everTrips((since) => 100 * officeHours(since), 3, 14)).toBe(false);
  });

  test("is an attack on an account that is usually quiet, as soon as it reached the least", () => {
    const begin = 9 * DAY + 3 * HOUR;
    const pace = both((since) => officeHours(since), attack(begin, 120));
    expect(spikeAt(begin + 5 * MINUTE, pace)).toMatchObject({ kind: "quiet" });
    expect(spikeAt(begin + 10 * MINUTE, pace)).toEqual({
      kind: "tripped",
      thisHour: "20",
      usual: "1",
      times: 20,
      why: "totalprice by price: 20 within 60 minutes, 20 times what is usual (1)",
    });
  });

  test("is an attack on a large account only at eight times what is usual", () => {
    const pace = (anHour: number) => both(() => 30, attack(9 * DAY, anHour));
    expect(spikeAt(9 * DAY + HOUR, pace(209.9)).kind).toBe("quiet");
    expect(spikeAt(9 * DAY + HOUR, pace(210))).toMatchObject({
      kind: "tripped",
      thisHour: "240",
      usual: "30",
      times: 8,
    });
  });

  test("is a campaign day: that only a person can tell from an attack", () => {
    const campaign: Pace = (since) => (since >= 9 * DAY + 10 * HOUR && since < 9 * DAY + 12 * HOUR ? 90 : 0);
    expect(
      spikeAt(
        9 * DAY + 11 * HOUR,
        both((since) => 5 * officeHours(since), campaign),
      ).kind,
    ).toBe("tripped");
    // A smaller one is none: eight times of 5 are 40.
    const small: Pace = (since) => campaign(since) / 3;
    expect(
      everTrips(
        both((since) => 5 * officeHours(since), small),
        9,
        10,
      ),
    ).toBe(false);
  });

  test("is a first busy hour where nothing was ever spent", () => {
    expect(spikeAt(9 * DAY + HOUR, attack(9 * DAY, 25))).toEqual({
      kind: "tripped",
      thisHour: "25",
      usual: "0",
      times: null,
      why: "totalprice by price: 25 within 60 minutes, where nothing is usual",
    });
    expect(spikeAt(9 * DAY + HOUR, attack(9 * DAY, 19.9)).kind).toBe("quiet");
  });

  test("is a second attack, too: the first one did not become usual", () => {
    const first: Pace = (since) => (since >= 7 * DAY && since < 7 * DAY + 3 * HOUR ? 500 : 0);
    expect(spikeAt(9 * DAY + HOUR, both(first, attack(9 * DAY, 25))).kind).toBe("tripped");
  });

  test("of a new account is not told before a quarter of the week has been seen", () => {
    const begin = 20 * DAY;
    expect(spikeAt(begin + 42 * HOUR, attack(begin, 500), begin)).toEqual({
      kind: "silent",
      why: "41 of the 42 hours have been seen that it takes to tell what is usual",
    });
    expect(spikeAt(begin + 43 * HOUR, attack(begin, 500), begin).kind).toBe("quiet");
  });

  test("over two days needs one of them", () => {
    const twoDays = { ...SPIKE, over: 2 * DAY };
    const at = (until: number) =>
      judgeSpend(
        twoDays,
        seen(() => 1, { until }),
        time(until),
      );
    expect(at(24 * HOUR)).toMatchObject({ kind: "silent", why: expect.stringContaining("23 of the 24 hours") });
    expect(at(25 * HOUR).kind).toBe("quiet");
  });

  test("is not seen while the sweep was down for most of the time before", () => {
    const samples = seen(() => 10, { until: 9 * DAY });
    const gap = samples.filter(({ at }) => at < time(DAY).toISOString() || at > time(8 * DAY).toISOString());
    expect(judgeSpend(SPIKE, gap, time(9 * DAY))).toMatchObject({ kind: "silent" });
  });

  test("is no more than what was spent while the sweep was down for some hours", () => {
    const samples = seen(() => 10, { until: 9 * DAY });
    const gap = samples.filter(
      ({ at }) => at < time(9 * DAY - 8 * HOUR).toISOString() || at >= time(9 * DAY - MINUTE).toISOString(),
    );
    expect(judgeSpend(SPIKE, gap, time(9 * DAY))).toMatchObject({ kind: "quiet" });
  });
});

describe("a rate", () => {
  const rateAt = (until: number, pace: Pace, from = until - 2 * HOUR) =>
    judgeSpend(RATE, seen(pace, { until, from }), time(until));

  test("trips at its value within any 60 minutes, and not before", () => {
    const begin = 5 * DAY + 7 * HOUR + 20 * MINUTE;
    expect(rateAt(begin + 25 * MINUTE, attack(begin, 60))).toEqual({ kind: "quiet", thisHour: "25", usual: null });
    expect(rateAt(begin + 30 * MINUTE, attack(begin, 60))).toEqual({
      kind: "tripped",
      thisHour: "30",
      usual: null,
      times: null,
      why: "totalprice by price: 30 within 60 minutes, its limit is 30",
    });
  });

  test("does not trip by what took two hours", () => {
    expect(rateAt(5.5 * DAY, () => 29.99)).toMatchObject({ kind: "quiet", thisHour: "29.99" });
  });

  test("goes on over midnight in GMT, without what was spent after the last reading before it", () => {
    expect(rateAt(6 * DAY + 20 * MINUTE, () => 40)).toMatchObject({ kind: "tripped" });
    expect(rateAt(6 * DAY + 20 * MINUTE, () => 25)).toMatchObject({ kind: "quiet", thisHour: "22.916667" });
  });

  test("needs no history: a new account trips within minutes", () => {
    expect(rateAt(5 * DAY + 5 * MINUTE, () => 360, 5 * DAY)).toMatchObject({ kind: "tripped", thisHour: "30" });
  });

  test("sums decimals exactly", () => {
    const tenths = Array.from({ length: 11 }, (_, index) =>
      sample(DAY + index * 5 * MINUTE, `${(index * 0.1).toFixed(1)}`),
    );
    expect(judgeSpend({ ...RATE, at: "1" }, tenths, time(DAY + 50 * MINUTE))).toMatchObject({
      kind: "tripped",
      thisHour: "1",
    });
  });

  test("counts what a trigger for ever counts", () => {
    const samples = [sample(DAY, "1000000.10", null), sample(DAY + 30 * MINUTE, "1000031", null)];
    expect(judgeSpend(RATE, samples, time(DAY + 31 * MINUTE))).toMatchObject({ kind: "tripped", thisHour: "30.9" });
  });
});

describe("silence", () => {
  test.each([
    ["without samples", [], "fewer than two samples: nothing to compare"],
    ["with a single one", [sample(DAY, "900")], "fewer than two samples: nothing to compare"],
    ["with the same one twice", [sample(DAY, "1"), sample(DAY, "900")], "fewer than two samples: nothing to compare"],
    [
      "with none that can be read",
      [sample(DAY - MINUTE, "oops"), sample(DAY, "900")],
      "fewer than two samples: nothing to compare",
    ],
    ["with one of tomorrow", [sample(DAY, "1"), sample(2 * DAY, "900")], "fewer than two samples: nothing to compare"],
    [
      "after half an hour without a sweep",
      [sample(DAY - 40 * MINUTE, "1"), sample(DAY - 31 * MINUTE, "900")],
      "the last sample is 31 minutes old",
    ],
  ])("%s", (_what, samples, why) => {
    expect(judgeSpend(RATE, samples, time(DAY))).toEqual({ kind: "silent", why });
    expect(judgeSpend(SPIKE, samples, time(DAY))).toEqual({ kind: "silent", why });
  });
});

describe("whatever the sweeps and the account", () => {
  /** Amounts in millionths, and minutes between sweeps. */
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 50_000_000 })), {
    minLength: 2,
    maxLength: 60,
  });
  const begins = fc.integer({ min: 0, max: 3 * 24 * 60 });

  /** Samples of a daily trigger, and what was spent when. */
  function sweep(begin: number, of: readonly (readonly [number, number])[]) {
    let [minute, counted, total] = [begin, 0, 0];
    const samples = [sample(minute * MINUTE, "0", dayOf(minute * MINUTE))];
    const spends: { at: number; amount: number }[] = [];
    for (const [pause, millionths] of of) {
      const before = minute;
      minute += pause;
      if (dayOf(before * MINUTE) !== dayOf(minute * MINUTE)) counted = 0;
      counted += millionths;
      total += millionths;
      spends.push({ at: minute, amount: millionths });
      samples.push(sample(minute * MINUTE, (counted / 1e6).toFixed(6), dayOf(minute * MINUTE)));
    }
    return { samples, spends, total: total / 1e6, now: time(minute * MINUTE), end: minute };
  }

  function dayOf(since: number): number {
    return Math.floor(since / DAY) * DAY;
  }

  test("no hour has more than was spent in all, nor less than nothing", () => {
    fc.assert(
      fc.property(begins, steps, (begin, of) => {
        const { samples, total, now } = sweep(begin, of);
        const judgement = judgeSpend({ ...RATE, at: "0.000001" }, samples, now);
        if (judgement.kind === "silent") throw new Error(judgement.why);
        expect(Number(judgement.thisHour)).toBeGreaterThanOrEqual(0);
        expect(Number(judgement.thisHour)).toBeLessThanOrEqual(total + 0.000001);
      }),
    );
  });

  test("with a sweep at least every five minutes a rate sees the last hour to within five minutes", () => {
    const often = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 50_000_000 })), {
      minLength: 20,
      maxLength: 60,
    });
    // Within one day: at midnight a little may be lost.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 18 * 60 }), often, (begin, of) => {
        const { samples, spends, now, end } = sweep(begin, of);
        const judgement = judgeSpend({ ...RATE, at: "999999999" }, samples, now);
        const spentAfter = (minute: number) =>
          spends.filter(({ at }) => at > minute).reduce((sum, { amount }) => sum + amount, 0) / 1e6;
        if (judgement.kind !== "quiet") throw new Error(judgement.kind);
        expect(Number(judgement.thisHour)).toBeGreaterThanOrEqual(spentAfter(end - 55) - 0.000001);
        expect(Number(judgement.thisHour)).toBeLessThanOrEqual(spentAfter(end - 60) + 0.000001);
      }),
    );
  });

  test("the order of the samples does not matter, nor whether one came twice", () => {
    fc.assert(
      fc.property(begins, steps, fc.infiniteStream(fc.nat()), (begin, of, order) => {
        const { samples, now } = sweep(begin, of);
        const shuffled = [...samples, ...samples.slice(0, 3)]
          .map((each) => ({ each, rank: order.next().value }))
          .sort((one, other) => one.rank - other.rank)
          .map(({ each }) => each);
        for (const rule of [RATE, SPIKE])
          expect(judgeSpend(rule, shuffled, now)).toEqual(judgeSpend(rule, samples, now));
      }),
    );
  });

  test("more spend in the last hour never makes a rule quiet", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 400 }),
        fc.nat(20),
        (less, more, usual) => {
          const [low, high] = less < more ? [less, more] : [more, less];
          const at = (anHour: number) =>
            spikeAt(
              4 * DAY + HOUR,
              both(() => usual, attack(4 * DAY, anHour)),
            ).kind;
          expect([at(low), at(high)]).not.toEqual(["tripped", "quiet"]);
        },
      ),
      { numRuns: 25 },
    );
  });
});
